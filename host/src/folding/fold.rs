//! Running a module on a batch of the log, and setting aside what it cannot handle.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use sqlx::PgPool;
use tokio::runtime::Handle;

#[cfg(test)]
use super::fault_point::FaultPoint;
use super::{
    batch_folder::{BatchFolder, Made},
    handling::{FailedEvent, FailureHandling},
    kept_rows::KeptRows,
    made_indexes::MadeIndexes,
    rows::BatchRows,
    search::{Search, end_of_event},
};
use crate::{
    metrics::HandlerMeasures,
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, ModuleFailure, UpcastError, UpcasterChain},
    subscriptions::{DeadLetter, Handled},
};

/// Events that are run together after one that failed: more faulty events may follow it closely.
const AFTER_FAILURE: usize = 64;

/// Runs a module on batches: the module with what it keeps between batches, and the upcasters before it.
#[derive(Debug)]
pub(crate) struct ModuleRunner<F> {
    runtime: Handle,
    pool: PgPool,
    tables: Arc<TableSet>,
    upcasters: Option<UpcasterChain>,
    folder: F,
    measures: HandlerMeasures,
    kept_rows: Option<Arc<Mutex<KeptRows>>>,
    made_indexes: Option<MadeIndexes>,
    /// Whether a batch was folded since memory was given up last.
    keeps_memory: bool,
}

/// A batch after its way through the upcasters.
struct UpcastedBatch<'e> {
    /// What became of the events before the one that failed.
    ready: Ready<'e>,
    /// The event that an upcaster failed at, as it is in the log.
    failed: Option<FailedEvent>,
    /// The events behind it, as they are in the log.
    behind: Vec<&'e Delivery>,
}

/// Events that the module gets.
enum Ready<'e> {
    /// As they are in the log: other builds may fold them as well.
    AsRead(Vec<&'e Delivery>),
    Upcasted(Vec<Delivery>),
}

/// The result of folding a batch.
#[derive(Debug)]
pub(crate) struct Folded<A> {
    /// What its events changed, up to the one at which folding stopped.
    pub(crate) writes: WriteSet,
    /// What they were answered with, in their order.
    pub(crate) answers: Vec<A>,
    /// The events that the module handled.
    pub(crate) handled: Handled,
    /// Events that were set aside, all of them before the one at which folding stopped.
    pub(crate) set_aside: Vec<DeadLetter>,
    /// The event at which folding stopped, if it did.
    pub(crate) stopped: Option<FailedEvent>,
}

/// Why events are not all folded.
enum FoldError<A> {
    /// The module cannot handle an event.
    Event {
        /// What the events before it changed, and were answered with.
        before: Made<A>,
        /// Its index among the events.
        index: usize,
        /// What the module did.
        failure: Box<ModuleFailure>,
    },
    /// A failure that is not the module's fault.
    Host(BatchError),
}

impl<F: BatchFolder> ModuleRunner<F> {
    /// Must be called within a tokio runtime. `upcasters` are those that events go through first, if there are any.
    pub(crate) fn new(
        pool: PgPool,
        tables: Arc<TableSet>,
        folder: F,
        upcasters: Option<UpcasterChain>,
        measures: HandlerMeasures,
    ) -> Self {
        let (runtime, kept_rows, made_indexes, keeps_memory) = (Handle::current(), None, None, false);
        Self { runtime, pool, tables, upcasters, folder, measures, kept_rows, made_indexes, keeps_memory }
    }

    /// The tables may lack indexes by which the module searches: each is made by the first search.
    pub(crate) fn make_indexes(&mut self) {
        self.made_indexes = Some(MadeIndexes::default());
    }

    /// From now on rows are kept from batch to batch. Whoever commits what is folded has to tell of it, see [`KeptRows::absorb`].
    pub(crate) fn keep_rows(&mut self, kept: Arc<Mutex<KeptRows>>) {
        self.kept_rows = Some(kept);
    }

    /// What runs the module.
    pub(crate) fn folder(&mut self) -> &mut F {
        &mut self.folder
    }

    /// Whether it may have memory that is only kept to make the next batch faster.
    pub(crate) fn keeps_memory(&self) -> bool {
        self.keeps_memory
    }

    /// Gives up memory that is only kept to make the next batch faster.
    pub(crate) fn free_memory(&mut self) {
        self.keeps_memory = false;
        self.folder.free_memory();
        if let Some(upcasters) = &mut self.upcasters {
            upcasters.free_memory();
        }
    }

    /// Folds events, as they are in the log. `layers` are the changes of earlier events that need not be committed yet, oldest
    /// first. Blocks.
    ///
    /// # Errors
    /// A failure that is not a module's fault. A failure of a module is handled as `handling` says.
    pub(crate) fn fold(
        &mut self,
        events: Vec<&Delivery>,
        layers: &[Arc<WriteSet>],
        handling: &mut FailureHandling,
    ) -> Result<Folded<F::Answer>, BatchError> {
        self.keeps_memory = true;
        let (writes, answers) = self.nothing();
        let (handled, set_aside, stopped) = (Handled::default(), Vec::new(), None);
        let mut folded = Folded { writes, answers, handled, set_aside, stopped };
        let mut rest = handling.set_parked_aside(events, 0, &mut folded.set_aside);
        while !rest.is_empty() && folded.stopped.is_none() {
            let UpcastedBatch { ready, failed, behind } = self.upcast(rest)?;
            let upcasted;
            let ready = match ready {
                Ready::AsRead(events) => events,
                Ready::Upcasted(events) => {
                    upcasted = events;
                    upcasted.iter().collect()
                }
            };
            self.fold_upcasted(ready, layers, handling, &mut folded)?;
            rest = behind;
            if let Some(FailedEvent { event, failure }) = failed
                && folded.stopped.is_none()
            {
                self.failed(&event, failure, handling, &mut folded);
            }
            rest = handling.set_parked_aside(rest, 0, &mut folded.set_aside);
        }
        if let Some(stopped) = &folded.stopped {
            // Events of parked streams were set aside before it was known where folding stops. Those behind that event are folded
            // or set aside when the build goes on.
            folded.set_aside.retain(|letter| letter.position < stopped.event.position);
        }
        Ok(folded)
    }

    /// Brings events through the upcasters, up to one that an upcaster fails at.
    fn upcast<'e>(&mut self, read: Vec<&'e Delivery>) -> Result<UpcastedBatch<'e>, BatchError> {
        let folder = &self.folder;
        let is_wanted = |event: &Delivery| folder.wants(event);
        let Some(upcasters) = &mut self.upcasters else {
            let mut read = read;
            if F::READS_MORE {
                read.retain(|event| is_wanted(event));
            }
            return Ok(UpcastedBatch { ready: Ready::AsRead(read), failed: None, behind: Vec::new() });
        };
        let mut events: Vec<Delivery> = read.iter().copied().cloned().collect();
        let began = Instant::now();
        match upcasters.upcast(&mut events) {
            Ok(()) => {
                self.measures.upcasted(began.elapsed());
                events.retain(is_wanted);
                return Ok(UpcastedBatch { ready: Ready::Upcasted(events), failed: None, behind: Vec::new() });
            }
            Err(UpcastError { error: BatchError::Module(_), .. }) => {}
            Err(error) => return Err(error.error),
        }
        // What becomes of an event depends on that event alone, so running them one by one finds the one that fails.
        let mut ready = Vec::new();
        let mut rest = read.into_iter();
        while let Some(event) = rest.next() {
            let mut made = vec![event.clone()];
            match upcasters.upcast(&mut made) {
                Ok(()) => ready.extend(made.into_iter().filter(is_wanted)),
                Err(UpcastError { upcaster, error: BatchError::Module(failure) }) => {
                    let failure = ModuleFailure { upcaster: Some(upcaster), ..*failure };
                    let failed = Some(FailedEvent { event: event.clone(), failure });
                    return Ok(UpcastedBatch { ready: Ready::Upcasted(ready), failed, behind: rest.collect() });
                }
                Err(error) => return Err(error.error),
            }
        }
        Ok(UpcastedBatch { ready: Ready::Upcasted(ready), failed: None, behind: Vec::new() })
    }

    fn fold_upcasted(
        &mut self,
        mut events: Vec<&Delivery>,
        layers: &[Arc<WriteSet>],
        handling: &mut FailureHandling,
        folded: &mut Folded<F::Answer>,
    ) -> Result<(), BatchError> {
        let (mut next, mut size) = (0, events.len());
        while next < events.len() {
            let end = end_of_event(&events, events.len().min(next + size) - 1);
            match self.fold_range(&events[next..end], layers, folded) {
                Ok(()) => {
                    folded.handled.count(&events[next..end]);
                    next = end;
                    size = size.saturating_mul(2);
                }
                Err(FoldError::Event { before, index, failure }) => {
                    let (writes, answers) = before;
                    folded.writes.merge(writes);
                    folded.answers.extend(answers);
                    let faulty = next + index;
                    folded.handled.count(&events[next..faulty]);
                    self.failed(events[faulty], *failure, handling, folded);
                    if folded.stopped.is_some() {
                        break;
                    }
                    next = end_of_event(&events, faulty);
                    events = handling.set_parked_aside(events, next, &mut folded.set_aside);
                    size = AFTER_FAILURE;
                }
                Err(FoldError::Host(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// The module failed at an event: folding stops there, or the event is set aside.
    fn failed(
        &self,
        event: &Delivery,
        failure: ModuleFailure,
        handling: &mut FailureHandling,
        folded: &mut Folded<F::Answer>,
    ) {
        self.measures.failed(failure.kind.word());
        folded.stopped = handling.handle(event, failure, &mut folded.set_aside);
    }

    fn nothing(&self) -> Made<F::Answer> {
        (self.no_writes(), Vec::new())
    }

    fn no_writes(&self) -> WriteSet {
        WriteSet::new(&self.tables.tables().cloned().collect::<Vec<_>>())
    }

    /// Folds events over the layers and over what the events before them changed, and adds what they change to that.
    fn fold_range(
        &mut self,
        events: &[&Delivery],
        layers: &[Arc<WriteSet>],
        done: &mut Folded<F::Answer>,
    ) -> Result<(), FoldError<F::Answer>> {
        let mut over = layers.to_vec();
        over.push(Arc::new(std::mem::replace(&mut done.writes, self.no_writes())));
        let made = self.find_faulty(events, &over);
        // The rows that were read through the layers are dropped with the run, so this layer has no other owner.
        if let Some(before) = over.pop() {
            done.writes = Arc::unwrap_or_clone(before);
        }
        let (writes, answers) = made?;
        done.writes.merge(writes);
        done.answers.extend(answers);
        Ok(())
    }

    /// Folds events over layers. If the module fails, finds the event that it fails at.
    fn find_faulty(
        &mut self,
        events: &[&Delivery],
        layers: &[Arc<WriteSet>],
    ) -> Result<Made<F::Answer>, FoldError<F::Answer>> {
        let first = match self.run(events, layers.to_vec(), F::run) {
            Ok(made) => return Ok(made),
            Err(BatchError::Module(failure)) => failure,
            Err(error) => return Err(FoldError::Host(error)),
        };

        // One of the events is faulty. Ranges of them are run again, each in fresh memory, until it is alone.
        let (mut done, mut answers) = self.nothing();
        let mut search = Search::new(events, &first);
        if search.is_one_event(&(0..events.len())) {
            return Err(FoldError::Event { before: (done, answers), index: 0, failure: first });
        }
        while let Some(range) = search.next() {
            let mut layers = layers.to_vec();
            layers.push(Arc::new(done));
            let result = self.run(&events[range.clone()], layers.clone(), F::run_alone);
            done = layers.pop().map(Arc::unwrap_or_clone).unwrap_or_else(|| self.no_writes());
            match result {
                Ok((writes, more)) => {
                    search.clear(&range);
                    done.merge(writes);
                    answers.extend(more);
                }
                Err(BatchError::Module(failure)) if search.is_one_event(&range) => {
                    return Err(FoldError::Event { before: (done, answers), index: range.start, failure });
                }
                Err(BatchError::Module(failure)) => search.split(range, &failure),
                Err(error) => return Err(FoldError::Host(error)),
            }
        }
        // Each range passed alone: the module failed because of the size of the batch.
        Ok((done, answers))
    }

    fn run(
        &mut self,
        events: &[&Delivery],
        layers: Vec<Arc<WriteSet>>,
        run: impl FnOnce(&mut F, &[&Delivery], BatchRows) -> Result<Made<F::Answer>, BatchError>,
    ) -> Result<Made<F::Answer>, BatchError> {
        #[cfg(test)]
        FaultPoint::FoldingThread.pass(events.iter().copied());
        let rows = BatchRows {
            runtime: self.runtime.clone(),
            pool: self.pool.clone(),
            tables: Arc::clone(&self.tables),
            kept: self.kept_rows.clone(),
            made_indexes: self.made_indexes.clone(),
            layers,
        };
        let began = Instant::now();
        let made = run(&mut self.folder, events, rows)?;
        self.measures.handled(events.len(), began.elapsed());
        Ok(made)
    }
}
