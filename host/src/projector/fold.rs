//! Running a module on a batch of the log, and setting aside what it cannot handle.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Instant,
};

use sqlx::PgPool;
use tokio::runtime::Handle;

#[cfg(test)]
use super::fault_point::FaultPoint;
use super::{
    instances::Instances,
    kept_rows::KeptRows,
    made_indexes::MadeIndexes,
    rows::BuildRows,
    search::{Search, end_of_event},
};
use crate::{
    metrics::{self, HandlerMeasures},
    read_model::{TableSet, WriteSet},
    runtime::{
        BatchError, Delivery, HostMemory, ModuleFailure, ProjectionDescriptor, ProjectionModule, UpcastError,
        UpcasterChain,
    },
    subscriptions::{DeadLetter, Handled, OnFailure},
};

/// Events that are run together after one that failed: more faulty events may follow it closely.
const AFTER_FAILURE: usize = 64;

/// Runs a projection's module on batches: the module, the upcasters before it, and the instance that is kept between batches.
#[derive(Debug)]
pub(super) struct ModuleRunner {
    runtime: Handle,
    pool: PgPool,
    tables: Arc<TableSet>,
    upcasters: Option<Upcasters>,
    instances: Instances,
    measures: HandlerMeasures,
    kept_rows: Option<Arc<Mutex<KeptRows>>>,
    made_indexes: Option<MadeIndexes>,
    /// Whether a batch was folded since memory was given up last.
    keeps_memory: bool,
}

/// How a [`ModuleRunner`] runs its module.
#[derive(Debug, Default)]
pub(super) struct RunnerOptions {
    /// The upcasters that events go through first, if there are any.
    pub(super) upcasters: Option<UpcasterChain>,
    /// Whether the module gets fresh memory for each batch.
    pub(super) fresh_memory: bool,
    /// Whether the tables may lack indexes by which the module searches.
    pub(super) makes_indexes: bool,
}

/// What happens at events that the module cannot handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FailureHandling {
    pub(super) on_failure: OnFailure,
    /// Streams whose events wait behind one that failed. Folding adds those of events that are parked.
    pub(super) parked_streams: HashSet<String>,
}

/// The upcasters that events go through.
#[derive(Debug)]
struct Upcasters {
    chain: UpcasterChain,
    wanted: Wanted,
}

/// The events that the projection wants of those that come out of the upcasters. Their categories are those that the log has.
#[derive(Debug)]
struct Wanted {
    /// `None` for all types.
    types: Option<HashSet<String>>,
    /// One of these tags is enough; none are needed if there are none.
    tags: HashSet<String>,
}

/// An event, and how a module failed at it.
#[derive(Debug)]
pub(super) struct FailedEvent {
    pub(super) event: Delivery,
    pub(super) failure: ModuleFailure,
}

/// A batch after its way through the upcasters.
struct UpcastedBatch {
    /// What became of the events before the one that failed.
    ready: Vec<Delivery>,
    /// The event that an upcaster failed at, as it is in the log.
    failed: Option<FailedEvent>,
    /// The events behind it, as they are in the log.
    behind: Vec<Delivery>,
}

/// The result of folding a batch.
#[derive(Debug)]
pub(super) struct Folded {
    /// What its events changed, up to the one at which folding stopped.
    pub(super) writes: WriteSet,
    /// The events that the module handled.
    pub(super) handled: Handled,
    /// Events that were set aside, all of them before the one at which folding stopped.
    pub(super) set_aside: Vec<DeadLetter>,
    /// The event at which folding stopped, if it did.
    pub(super) stopped: Option<FailedEvent>,
}

/// Why events are not all folded.
enum FoldError {
    /// The module cannot handle an event.
    Event {
        /// What the events before it changed.
        before: WriteSet,
        /// Its index among the events.
        index: usize,
        /// What the module did.
        failure: Box<ModuleFailure>,
    },
    /// A failure that is not the module's fault.
    Host(BatchError),
}

impl ModuleRunner {
    /// Must be called within a tokio runtime.
    pub(super) fn new(
        pool: PgPool,
        tables: Arc<TableSet>,
        module: ProjectionModule,
        RunnerOptions { upcasters, fresh_memory, makes_indexes }: RunnerOptions,
    ) -> Self {
        let upcasters = upcasters.map(|chain| {
            let wanted = Wanted::by(module.descriptor());
            Upcasters { chain, wanted }
        });
        let measures = metrics::of_host().projector.handler(module.label().name.as_str());
        let (runtime, kept_rows, keeps_memory) = (Handle::current(), None, false);
        let instances = Instances::new(module, fresh_memory);
        let made_indexes = makes_indexes.then(MadeIndexes::default);
        Self { runtime, pool, tables, upcasters, instances, measures, kept_rows, made_indexes, keeps_memory }
    }

    /// From now on rows are kept from batch to batch. Whoever commits what is folded has to tell of it, see [`KeptRows::absorb`].
    pub(super) fn keep_rows(&mut self, kept: Arc<Mutex<KeptRows>>) {
        self.kept_rows = Some(kept);
    }

    /// The instances of its module.
    pub(super) fn instances(&mut self) -> &mut Instances {
        &mut self.instances
    }

    /// The memory that its module shares with all others of the host.
    pub(super) fn memory(&self) -> &HostMemory {
        self.instances.module().memory()
    }

    /// Whether it may have memory that is only kept to make the next batch faster.
    pub(super) fn keeps_memory(&self) -> bool {
        self.keeps_memory
    }

    /// Gives up memory that is only kept to make the next batch faster.
    pub(super) fn free_memory(&mut self) {
        self.keeps_memory = false;
        self.instances.free_memory();
        if let Some(upcasters) = &mut self.upcasters {
            upcasters.chain.free_memory();
        }
    }

    /// Folds events, as they are in the log. `layers` are the changes of earlier events that need not be committed yet, oldest
    /// first. Blocks.
    ///
    /// # Errors
    /// A failure that is not a module's fault. A failure of a module is handled as `handling` says.
    pub(super) fn fold(
        &mut self,
        events: Vec<Delivery>,
        layers: &[Arc<WriteSet>],
        handling: &mut FailureHandling,
    ) -> Result<Folded, BatchError> {
        self.keeps_memory = true;
        let mut folded =
            Folded { writes: self.no_writes(), handled: Handled::default(), set_aside: Vec::new(), stopped: None };
        let mut rest = handling.set_parked_aside(events, 0, &mut folded.set_aside);
        while !rest.is_empty() && folded.stopped.is_none() {
            let upcasted = self.upcast(rest)?;
            self.fold_upcasted(upcasted.ready, layers, handling, &mut folded)?;
            rest = upcasted.behind;
            if let Some(FailedEvent { event, failure }) = upcasted.failed
                && folded.stopped.is_none()
            {
                handling.handle(&event, failure, &mut folded);
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
    fn upcast(&mut self, mut events: Vec<Delivery>) -> Result<UpcastedBatch, BatchError> {
        let Some(upcasters) = &mut self.upcasters else {
            return Ok(UpcastedBatch { ready: events, failed: None, behind: Vec::new() });
        };
        let is_wanted = |event: &Delivery| upcasters.wanted.admits(event);
        let began = Instant::now();
        match upcasters.chain.upcast(&mut events) {
            Ok(()) => {
                self.measures.upcasted(began.elapsed());
                events.retain(is_wanted);
                return Ok(UpcastedBatch { ready: events, failed: None, behind: Vec::new() });
            }
            Err(UpcastError { error: BatchError::Module(_), .. }) => {}
            Err(error) => return Err(error.error),
        }
        // What becomes of an event depends on that event alone, so running them one by one finds the one that fails.
        let mut ready = Vec::new();
        let mut rest = events.into_iter();
        while let Some(event) = rest.next() {
            let mut made = vec![event.clone()];
            match upcasters.chain.upcast(&mut made) {
                Ok(()) => ready.extend(made.into_iter().filter(is_wanted)),
                Err(UpcastError { upcaster, error: BatchError::Module(failure) }) => {
                    let failure = ModuleFailure { upcaster: Some(upcaster), ..*failure };
                    let failed = Some(FailedEvent { event, failure });
                    return Ok(UpcastedBatch { ready, failed, behind: rest.collect() });
                }
                Err(error) => return Err(error.error),
            }
        }
        Ok(UpcastedBatch { ready, failed: None, behind: Vec::new() })
    }

    fn fold_upcasted(
        &mut self,
        mut events: Vec<Delivery>,
        layers: &[Arc<WriteSet>],
        handling: &mut FailureHandling,
        folded: &mut Folded,
    ) -> Result<(), BatchError> {
        let (mut next, mut size) = (0, events.len());
        while next < events.len() {
            let end = end_of_event(&events, events.len().min(next + size) - 1);
            match self.fold_range(&events[next..end], layers, &mut folded.writes) {
                Ok(()) => {
                    folded.handled.count(&events[next..end]);
                    next = end;
                    size = size.saturating_mul(2);
                }
                Err(FoldError::Event { before, index, failure }) => {
                    folded.writes.merge(before);
                    let faulty = next + index;
                    folded.handled.count(&events[next..faulty]);
                    handling.handle(&events[faulty], *failure, folded);
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

    fn no_writes(&self) -> WriteSet {
        WriteSet::new(&self.tables.tables().cloned().collect::<Vec<_>>())
    }

    /// Folds events over the layers and over what the events before them changed, and adds what they change to that.
    fn fold_range(
        &mut self,
        events: &[Delivery],
        layers: &[Arc<WriteSet>],
        done: &mut WriteSet,
    ) -> Result<(), FoldError> {
        let mut over = layers.to_vec();
        over.push(Arc::new(std::mem::replace(done, self.no_writes())));
        let folded = self.find_faulty(events, &over);
        // The rows that were read through the layers are dropped with the run, so this layer has no other owner.
        if let Some(before) = over.pop() {
            *done = Arc::unwrap_or_clone(before);
        }
        done.merge(folded?);
        Ok(())
    }

    /// Folds events over layers. If the module fails, finds the event that it fails at.
    fn find_faulty(&mut self, events: &[Delivery], layers: &[Arc<WriteSet>]) -> Result<WriteSet, FoldError> {
        let first = match self.run(events, layers.to_vec(), Instances::run) {
            Ok(writes) => return Ok(writes),
            Err(BatchError::Module(failure)) => failure,
            Err(error) => return Err(FoldError::Host(error)),
        };

        // One of the events is faulty. Ranges of them are run again, each in fresh memory, until it is alone.
        let mut done = self.no_writes();
        let mut search = Search::new(events, &first);
        if search.is_one_event(&(0..events.len())) {
            return Err(FoldError::Event { before: done, index: 0, failure: first });
        }
        while let Some(range) = search.next() {
            let mut layers = layers.to_vec();
            layers.push(Arc::new(done));
            let result = self.run(&events[range.clone()], layers.clone(), Instances::run_alone);
            done = layers.pop().map(Arc::unwrap_or_clone).unwrap_or_else(|| self.no_writes());
            match result {
                Ok(writes) => {
                    search.clear(&range);
                    done.merge(writes);
                }
                Err(BatchError::Module(failure)) if search.is_one_event(&range) => {
                    return Err(FoldError::Event { before: done, index: range.start, failure });
                }
                Err(BatchError::Module(failure)) => search.split(range, &failure),
                Err(error) => return Err(FoldError::Host(error)),
            }
        }
        // Each range passed alone: the module failed because of the size of the batch.
        Ok(done)
    }

    fn run(
        &mut self,
        events: &[Delivery],
        layers: Vec<Arc<WriteSet>>,
        run: impl FnOnce(&mut Instances, &[Delivery], BuildRows) -> Result<WriteSet, BatchError>,
    ) -> Result<WriteSet, BatchError> {
        #[cfg(test)]
        FaultPoint::FoldingThread.pass(events);
        let rows = BuildRows {
            runtime: self.runtime.clone(),
            pool: self.pool.clone(),
            tables: Arc::clone(&self.tables),
            kept: self.kept_rows.clone(),
            made_indexes: self.made_indexes.clone(),
            layers,
        };
        let began = Instant::now();
        let writes = run(&mut self.instances, events, rows)?;
        self.measures.handled(events.len(), began.elapsed());
        Ok(writes)
    }
}

impl Wanted {
    fn by(descriptor: &ProjectionDescriptor) -> Self {
        let types = descriptor.event_types.iter().map(|wanted| wanted.event_type.clone());
        let types = (!descriptor.all_types).then(|| types.collect());
        Self { types, tags: descriptor.tags.iter().cloned().collect() }
    }

    fn admits(&self, event: &Delivery) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&*event.event_type))
            && (self.tags.is_empty() || event.tags.iter().any(|tag| self.tags.contains(&**tag)))
    }
}

impl FailureHandling {
    /// Halts at an event that a module failed at, or sets it aside.
    fn handle(&mut self, event: &Delivery, failure: ModuleFailure, folded: &mut Folded) {
        metrics::of_host().projector.module_failed(failure.kind.word());
        // An earlier event of its stream may have been parked in the meantime.
        if self.parked_streams.contains(&*event.stream) {
            folded.set_aside.push(DeadLetter::waiting(event));
            return;
        }
        match self.on_failure {
            OnFailure::Halt => folded.stopped = Some(FailedEvent { event: event.clone(), failure }),
            OnFailure::Skip => folded.set_aside.push(DeadLetter::skipped(event, failure)),
            OnFailure::Park => {
                folded.set_aside.push(DeadLetter::parked(event, failure));
                self.parked_streams.insert(event.stream.to_string());
            }
        }
    }

    /// Sets aside the events of parked streams from index `from` on, and returns the others.
    fn set_parked_aside(
        &self,
        mut events: Vec<Delivery>,
        from: usize,
        set_aside: &mut Vec<DeadLetter>,
    ) -> Vec<Delivery> {
        if self.parked_streams.is_empty() {
            return events;
        }
        let behind = events.split_off(from);
        for event in behind {
            if !self.parked_streams.contains(&*event.stream) {
                events.push(event);
            } else if set_aside.last().is_none_or(|last| last.position != event.position) {
                // One dead letter for all events that upcasters made of one.
                set_aside.push(DeadLetter::waiting(&event));
            }
        }
        events
    }
}
