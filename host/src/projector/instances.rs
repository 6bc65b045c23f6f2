//! The instances of a module that fold a build: one, or several side by side.
//!
//! A projection may declare that each of its rows depends on one stream only. While such a build replays, its streams are shared out to as
//! many instances as the machine has cores to spare, each on a thread of its own. An instance keeps its streams, so what it has cached of
//! their rows stays right.

use std::{
    hash::BuildHasher as _,
    io,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

use hashbrown::DefaultHashBuilder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use crate::{
    folding::BatchRows,
    read_model::WriteSet,
    runtime::{BatchError, Delivery, Partition, ProjectionInstance, ProjectionModule},
};

/// The cores for instances beside the first one of each build. Who comes first has them all, until its replay ends.
#[derive(Clone, Debug)]
pub(super) struct SpareCores(Arc<Semaphore>);

impl SpareCores {
    pub(super) fn new(cores: usize) -> Self {
        Self(Arc::new(Semaphore::new(cores)))
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// The instances that fold a build.
#[derive(Debug)]
pub(super) struct Instances {
    module: ProjectionModule,
    /// Whether each batch gets fresh memory.
    fresh_memory: bool,
    /// Kept from batch to batch as long as no event fails.
    first: Option<ProjectionInstance>,
    /// Those beside it.
    others: Vec<Other>,
    /// Tells which instance has a stream.
    hasher: DefaultHashBuilder,
    /// Whether the first has folded events of streams that the others have: it may have cached their rows.
    was_alone: bool,
}

#[derive(Debug)]
struct Other {
    instance: Option<ProjectionInstance>,
    _core: OwnedSemaphorePermit,
}

/// What an instance made of its part of a batch; nothing if its part is empty.
type Folded = Option<(ProjectionInstance, WriteSet)>;

/// Why a batch was not folded side by side.
#[derive(Debug)]
enum Failed {
    /// An instance failed.
    Instance(BatchError),
    /// The system gives no thread.
    Thread(io::Error),
    /// Two instances changed this row.
    SameRow(String),
}

impl Instances {
    pub(super) fn new(module: ProjectionModule, fresh_memory: bool) -> Self {
        let (hasher, others) = (DefaultHashBuilder::default(), Vec::new());
        Self { module, fresh_memory, first: None, others, hasher, was_alone: false }
    }

    pub(super) fn module(&self) -> &ProjectionModule {
        &self.module
    }

    /// Folds on the cores that are to spare, if the projection allows it, until [`Self::give_cores_back`].
    pub(super) fn take_cores(&mut self, spare: &SpareCores) {
        if self.module.descriptor().partitioned_by == Some(Partition::Stream) {
            let cores = std::iter::from_fn(|| spare.take());
            self.others = cores.map(|core| Other { instance: None, _core: core }).collect();
        }
    }

    /// From now on there is one instance.
    pub(super) fn give_cores_back(&mut self) {
        self.others.clear();
    }

    /// Gives up memory that is only kept to make the next batch faster.
    pub(super) fn free_memory(&mut self) {
        self.first = None;
        self.others.iter_mut().for_each(|other| other.instance = None);
    }

    /// Folds events, at least one, side by side where that is possible. Blocks.
    ///
    /// # Errors
    /// As [`Self::run_alone`].
    pub(super) fn run(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<WriteSet, BatchError> {
        if !self.others.is_empty() {
            match self.run_side_by_side(events, &rows) {
                Ok(writes) => return Ok(writes),
                // One instance says which event is the first that fails, and how.
                Err(Failed::Instance(error)) => debug!(%error, "going on one event after the other"),
                Err(Failed::Thread(error)) => {
                    warn!(%error, "no thread for another instance");
                    self.give_cores_back();
                }
                Err(Failed::SameRow(row)) => {
                    let module = self.module.label();
                    warn!(%module, row, "partitioned by stream, but two streams changed one row; folding on one thread");
                    self.give_cores_back();
                }
            }
        }
        self.run_alone(events, rows)
    }

    /// Folds events, at least one, by one instance. Blocks.
    ///
    /// # Errors
    /// The module fails at an event, or there is a failure that is not its fault.
    pub(super) fn run_alone(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<WriteSet, BatchError> {
        self.was_alone = true;
        let (instance, writes) = fold(&self.module, self.first.take(), events, rows)?;
        self.first = self.keep(instance);
        Ok(writes)
    }

    fn run_side_by_side(&mut self, events: &[&Delivery], rows: &BatchRows) -> Result<WriteSet, Failed> {
        if std::mem::take(&mut self.was_alone) {
            self.first = None;
        }
        let others = self.others.iter_mut().map(|other| other.instance.take());
        let instances: Vec<_> = std::iter::once(self.first.take()).chain(others).collect();
        let mut all = WriteSet::new(self.module.tables());
        let mut kept = Vec::with_capacity(instances.len());
        for folded in fold_shares(&self.module, instances, &self.shares(events), rows)? {
            let Some((instance, writes)) = folded else {
                kept.push(None);
                continue;
            };
            if let Some(row) = row_of_both(&all, &writes) {
                return Err(Failed::SameRow(row));
            }
            all.merge(writes);
            kept.push(self.keep(instance));
        }
        // Only now: of a batch that is not committed, no instance may stay.
        let mut kept = kept.into_iter();
        self.first = kept.next().flatten();
        self.others.iter_mut().zip(kept).for_each(|(other, instance)| other.instance = instance);
        Ok(all)
    }

    /// The events of each instance, in their order.
    fn shares<'e>(&self, events: &[&'e Delivery]) -> Vec<Vec<&'e Delivery>> {
        let count = 1 + self.others.len();
        let mut shares = vec![Vec::with_capacity(events.len() / count + 1); count];
        for &event in events {
            let hash = usize::try_from(self.hasher.hash_one(&event.stream) % count as u64).unwrap_or_default();
            shares[hash].push(event);
        }
        shares
    }

    /// Only an instance in whose memory no event has failed is used again, and none whose memory others wait for.
    fn keep(&self, instance: ProjectionInstance) -> Option<ProjectionInstance> {
        (!self.fresh_memory && !self.module.memory().is_short()).then_some(instance)
    }
}

/// Folds each share on a thread of its own, the first on this one.
fn fold_shares(
    module: &ProjectionModule,
    instances: Vec<Option<ProjectionInstance>>,
    shares: &[Vec<&Delivery>],
    rows: &BatchRows,
) -> Result<Vec<Folded>, Failed> {
    let fold_share = |(instance, share): (Option<ProjectionInstance>, &Vec<&Delivery>)| {
        if share.is_empty() { Ok(None) } else { fold(module, instance, share, rows.clone()).map(Some) }
    };
    thread::scope(|scope| {
        let mut work = instances.into_iter().zip(shares);
        let first = work.next();
        let spawn = |share| thread::Builder::new().name("fold".into()).spawn_scoped(scope, move || fold_share(share));
        let others: Vec<_> = work.map(spawn).collect();
        let mut folded = vec![first.map_or(Ok(None), fold_share).map_err(Failed::Instance)];
        folded.extend(others.into_iter().map(|thread| match thread.map(ScopedJoinHandle::join) {
            Ok(Ok(folded)) => folded.map_err(Failed::Instance),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(error) => Err(Failed::Thread(error)),
        }));
        folded.into_iter().collect()
    })
}

/// Folds events, at least one, by an instance, or by a new one.
fn fold(
    module: &ProjectionModule,
    instance: Option<ProjectionInstance>,
    events: &[&Delivery],
    rows: BatchRows,
) -> Result<(ProjectionInstance, WriteSet), BatchError> {
    let mut instance = match instance {
        Some(instance) => instance,
        None => module.instantiate(events[0].position)?,
    };
    let writes = instance.handle(events, Box::new(rows))?;
    Ok((instance, writes))
}

/// A row that both change.
fn row_of_both(one: &WriteSet, other: &WriteSet) -> Option<String> {
    one.tables().iter().zip(other.tables()).find_map(|(one, other)| {
        let key = one.row_of_both(other)?;
        Some(format!("{} {key:?}", one.table().name()))
    })
}
