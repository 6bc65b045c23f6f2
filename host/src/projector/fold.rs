//! Running a module on a batch of the log, and setting aside what it cannot handle.

use std::{collections::HashSet, sync::Arc};

use sqlx::PgPool;
use tokio::runtime::Handle;

use super::{
    rows::BuildRows,
    search::{Search, end_of_event},
};
use crate::{
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, ModuleFailure, ProjectionInstance, ProjectionModule, UpcastError, UpcasterChain},
    subscriptions::{DeadLetter, OnFailure},
};

/// Events that are run at once after one that failed; where one is bad, more may be.
const AFTER_FAILURE: usize = 64;

/// A module at work, with the instance that it has now.
#[derive(Debug)]
pub(super) struct BatchFolder {
    runtime: Handle,
    pool: PgPool,
    tables: Arc<TableSet>,
    upcasters: Option<Upcasters>,
    module: ProjectionModule,
    on_failure: OnFailure,
    /// Streams whose events wait behind one that failed.
    parked: HashSet<String>,
    /// Whether the module gets fresh memory for each batch.
    forgets: bool,
    /// Kept from batch to batch as long as all goes well.
    instance: Option<ProjectionInstance>,
}

/// The upcasters that events go through.
#[derive(Debug)]
struct Upcasters {
    chain: UpcasterChain,
    /// The types that the projection wants of what comes out; none if it wants all.
    wants: Option<HashSet<String>>,
}

/// What became of events on their way through the upcasters.
struct Upcasted {
    /// Those before the one that failed, as they have become.
    ready: Vec<Delivery>,
    /// As it is in the log.
    failed: Option<(Delivery, ModuleFailure)>,
    /// Those behind it, as they are in the log.
    behind: Vec<Delivery>,
}

/// The result of folding a batch.
#[derive(Debug)]
pub(super) struct Folded {
    /// What its events changed, up to the one that it stopped at.
    pub(super) writes: WriteSet,
    /// Events that were set aside, all of them before the one that it stopped at.
    pub(super) set_aside: Vec<DeadLetter>,
    /// The event that it stopped at, and what the module did.
    pub(super) stopped: Option<(Delivery, ModuleFailure)>,
}

/// Why a batch is not folded whole.
enum Unfolded {
    /// The module cannot handle an event.
    Event {
        /// What the events before it changed.
        before: WriteSet,
        /// Its place among the events.
        place: usize,
        /// What the module did.
        failure: ModuleFailure,
    },
    /// Something that is not the module's fault.
    Host(BatchError),
}

impl BatchFolder {
    /// Must be called within a tokio runtime.
    pub(super) fn new(pool: PgPool, tables: Arc<TableSet>, module: ProjectionModule, on_failure: OnFailure) -> Self {
        let runtime = Handle::current();
        Self {
            runtime,
            pool,
            tables,
            upcasters: None,
            module,
            on_failure,
            parked: HashSet::new(),
            forgets: false,
            instance: None,
        }
    }

    /// Gives the module fresh memory for each batch.
    pub(super) fn forget(&mut self) {
        self.forgets = true;
    }

    /// Lets events go through these upcasters before.
    pub(super) fn upcast_by(&mut self, chain: UpcasterChain) {
        let descriptor = self.module.descriptor();
        let types = descriptor.event_types.iter().map(|wanted| wanted.event_type.clone());
        let wants = (!descriptor.all_types).then(|| types.collect());
        self.upcasters = Some(Upcasters { chain, wants });
    }

    /// From now on, at events that the module cannot handle, this happens.
    pub(super) fn on_failure(&mut self, on_failure: OnFailure) {
        self.on_failure = on_failure;
    }

    /// Keeps the events of these streams, and of no other, waiting.
    pub(super) fn park(&mut self, streams: HashSet<String>) {
        self.parked = streams;
    }

    /// Folds events, as they are in the log, over what earlier ones changed that Postgres need not have yet. Blocks.
    ///
    /// # Errors
    /// What is not the fault of a module. What is, is part of the answer.
    pub(super) fn fold(&mut self, events: Vec<Delivery>, layers: &[Arc<WriteSet>]) -> Result<Folded, BatchError> {
        let mut folded = Folded { writes: self.no_writes(), set_aside: Vec::new(), stopped: None };
        let mut rest = self.without_parked(events, 0, &mut folded.set_aside);
        while !rest.is_empty() && folded.stopped.is_none() {
            let upcasted = self.upcast(rest)?;
            self.fold_upcasted(upcasted.ready, layers, &mut folded)?;
            rest = upcasted.behind;
            if let Some((event, failure)) = upcasted.failed
                && folded.stopped.is_none()
            {
                self.fail(&event, failure, &mut folded);
            }
            rest = self.without_parked(rest, 0, &mut folded.set_aside);
        }
        if let Some((stopped_at, _)) = &folded.stopped {
            // Events of parked streams were set aside before it was known where the batch stops. What stands behind that place
            // is folded, or set aside, when the build goes on.
            folded.set_aside.retain(|letter| letter.position < stopped_at.position);
        }
        Ok(folded)
    }

    /// Brings events to where the upcasters bring them, up to one that an upcaster fails at.
    fn upcast(&mut self, mut events: Vec<Delivery>) -> Result<Upcasted, BatchError> {
        let Some(upcasters) = &mut self.upcasters else {
            return Ok(Upcasted { ready: events, failed: None, behind: Vec::new() });
        };
        let wants = |event: &Delivery| upcasters.wants.as_ref().is_none_or(|wants| wants.contains(&event.event_type));
        match upcasters.chain.upcast(&mut events) {
            Ok(()) => {
                events.retain(wants);
                return Ok(Upcasted { ready: events, failed: None, behind: Vec::new() });
            }
            Err(UpcastError { error: BatchError::Module(_), .. }) => {}
            Err(error) => return Err(error.error),
        }
        // What becomes of an event depends on that event alone: taken one by one, the one that fails shows itself.
        let mut ready = Vec::new();
        let mut rest = events.into_iter();
        while let Some(event) = rest.next() {
            let mut made = vec![event];
            match upcasters.chain.upcast(&mut made) {
                Ok(()) => ready.extend(made.into_iter().filter(wants)),
                Err(UpcastError { upcaster, error: BatchError::Module(mut failure) }) => {
                    failure.message = format!("upcaster {upcaster}: {}", failure.message);
                    let failed = made.pop().map(|event| (event, *failure));
                    return Ok(Upcasted { ready, failed, behind: rest.collect() });
                }
                Err(error) => return Err(error.error),
            }
        }
        Ok(Upcasted { ready, failed: None, behind: Vec::new() })
    }

    fn fold_upcasted(
        &mut self,
        mut events: Vec<Delivery>,
        layers: &[Arc<WriteSet>],
        folded: &mut Folded,
    ) -> Result<(), BatchError> {
        let (mut next, mut size) = (0, events.len());
        while next < events.len() {
            let end = end_of_event(&events, events.len().min(next + size) - 1);
            match self.fold_batch(&events[next..end], layers, &mut folded.writes) {
                Ok(()) => {
                    next = end;
                    size = size.saturating_mul(2);
                }
                Err(Unfolded::Event { before, place, failure }) => {
                    folded.writes.merge(before);
                    let place = next + place;
                    self.fail(&events[place], failure, folded);
                    if folded.stopped.is_some() {
                        break;
                    }
                    next = end_of_event(&events, place);
                    events = self.without_parked(events, next, &mut folded.set_aside);
                    size = AFTER_FAILURE;
                }
                Err(Unfolded::Host(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does with an event that a module cannot handle what is to be done.
    fn fail(&mut self, event: &Delivery, failure: ModuleFailure, folded: &mut Folded) {
        // An earlier event of its stream may have failed in the meantime.
        if self.parked.contains(&event.stream) {
            folded.set_aside.push(DeadLetter::waiting(event));
            return;
        }
        match self.on_failure {
            OnFailure::Halt => folded.stopped = Some((event.clone(), failure)),
            OnFailure::Skip => folded.set_aside.push(DeadLetter::failed(event, failure, false)),
            OnFailure::Park => {
                folded.set_aside.push(DeadLetter::failed(event, failure, true));
                self.parked.insert(event.stream.clone());
            }
        }
    }

    fn no_writes(&self) -> WriteSet {
        WriteSet::new(&self.tables.tables().cloned().collect::<Vec<_>>())
    }

    /// Takes the events of parked streams out, from a place on.
    fn without_parked(&self, mut events: Vec<Delivery>, from: usize, set_aside: &mut Vec<DeadLetter>) -> Vec<Delivery> {
        if self.parked.is_empty() {
            return events;
        }
        let behind = events.split_off(from);
        for event in behind {
            if !self.parked.contains(&event.stream) {
                events.push(event);
            } else if set_aside.last().is_none_or(|last| last.position != event.position) {
                // One letter for all events into which one was split.
                set_aside.push(DeadLetter::waiting(&event));
            }
        }
        events
    }

    /// Folds events over what those before them changed, and adds what they change.
    fn fold_batch(
        &mut self,
        events: &[Delivery],
        layers: &[Arc<WriteSet>],
        done: &mut WriteSet,
    ) -> Result<(), Unfolded> {
        let mut over = layers.to_vec();
        over.push(Arc::new(std::mem::replace(done, self.no_writes())));
        let folded = self.fold_over(events, &over);
        // The rows that were read through the layers are gone with the run, so this one has no other owner.
        if let Some(before) = over.pop() {
            *done = Arc::unwrap_or_clone(before);
        }
        done.merge(folded?);
        Ok(())
    }

    fn fold_over(&mut self, events: &[Delivery], layers: &[Arc<WriteSet>]) -> Result<WriteSet, Unfolded> {
        let first = match self.run(events, layers.to_vec()) {
            Ok(writes) => return Ok(writes),
            Err(BatchError::Module(failure)) => *failure,
            Err(error) => return Err(Unfolded::Host(error)),
        };

        // One event of the batch is to blame. Parts of the batch are run again, each in fresh memory, until it stands alone.
        let mut done = self.no_writes();
        let mut search = Search::new(events, &first);
        if search.is_one(&(0..events.len())) {
            return Err(Unfolded::Event { before: done, place: 0, failure: first });
        }
        while let Some(part) = search.next() {
            let mut layers = layers.to_vec();
            layers.push(Arc::new(done));
            let result = self.run(&events[part.clone()], layers.clone());
            done = layers.pop().map(Arc::unwrap_or_clone).unwrap_or_else(|| self.no_writes());
            match result {
                Ok(writes) => {
                    search.clear(&part);
                    done.merge(writes);
                }
                Err(BatchError::Module(failure)) if search.is_one(&part) => {
                    return Err(Unfolded::Event { before: done, place: part.start, failure: *failure });
                }
                Err(BatchError::Module(failure)) => search.split(part, &failure),
                Err(error) => return Err(Unfolded::Host(error)),
            }
        }
        // Every part passed by itself: what failed was the size of the batch.
        Ok(done)
    }

    fn run(&mut self, events: &[Delivery], layers: Vec<Arc<WriteSet>>) -> Result<WriteSet, BatchError> {
        let rows = BuildRows {
            runtime: self.runtime.clone(),
            pool: self.pool.clone(),
            tables: Arc::clone(&self.tables),
            layers,
        };
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(events[0].position)?,
        };
        let writes = instance.handle(events, Box::new(rows))?;
        // Only memory that has seen nothing fail is used again.
        self.instance = (!self.forgets).then_some(instance);
        Ok(writes)
    }
}
