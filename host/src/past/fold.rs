//! Folding the events of one stream over rows in memory, as a build does over its tables.

use std::{sync::Arc, time::Instant};

use super::{
    changes::{RowChange, changes},
    error::PastError,
    logic::{LoadedLogic, Logic},
    reading::EventStamp,
    rows::FoldedRows,
    set_aside::{Known, SetAside},
    silence::silently,
    snapshots::{Spacing, Taken},
    verdict::{PassedOver, Status, passed_over, wanted},
};
use crate::{
    event_log::{Filter, Position, RecordedEvent, StreamName, StreamVersion},
    read_model::WriteSet,
    runtime::{BatchError, Delivery, ModuleFailure, ProjectionInstance, ProjectionModule, UpcastError, UpcasterChain},
};

/// Events that a module gets at once.
const CHUNK: usize = 256;

/// The rows of a stream, and how they come to be.
pub(super) struct StreamFold {
    pub(super) logic: Logic,
    stream: StreamName,
    module: ProjectionModule,
    chain: Option<UpcasterChain>,
    filter: Filter,
    set_aside: SetAside,
    instance: Option<ProjectionInstance>,
    rows: FoldedRows,
    max_bytes: usize,
    /// The version of the last event that was folded or does not count.
    version: StreamVersion,
    /// Events that the module has handled.
    pub(super) handled: u64,
    /// Events that do not count, since they are set aside.
    pub(super) left_out: u64,
    /// The event at which folding has ended.
    pub(super) stopped: Option<(StreamVersion, Box<ModuleFailure>)>,
    /// When snapshots are taken; `None` if none are.
    spacing: Option<Spacing>,
}

/// What became of one event.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) status: Status,
    /// How the module fails at it, if it does.
    pub(super) failure: Option<Box<ModuleFailure>>,
    pub(super) changes: Vec<RowChange>,
    pub(super) more_changes: usize,
}

impl Folded {
    fn without_changes(status: Status) -> Self {
        Self { status, failure: None, changes: Vec::new(), more_changes: 0 }
    }

    fn failed(status: Status, failure: Box<ModuleFailure>) -> Self {
        Self { failure: Some(failure), ..Self::without_changes(status) }
    }
}

/// Why events are not folded.
enum FoldError {
    /// A module cannot handle one of them.
    Module(Box<ModuleFailure>),
    /// Another reason.
    Other(PastError),
}

impl From<PastError> for FoldError {
    fn from(error: PastError) -> Self {
        Self::Other(error)
    }
}

impl From<BatchError> for FoldError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Module(failure) => Self::Module(failure),
            other => Self::Other(PastError::Host(other.to_string())),
        }
    }
}

impl StreamFold {
    /// Begins before the first event of a stream.
    pub(super) fn new(loaded: LoadedLogic, stream: StreamName, set_aside: SetAside, max_bytes: usize) -> Self {
        let LoadedLogic { logic, module, chain, filter, lineage: _ } = loaded;
        let rows = FoldedRows::over(module.tables(), None);
        Self {
            logic,
            stream,
            module,
            chain,
            filter,
            set_aside,
            instance: None,
            rows,
            max_bytes,
            version: StreamVersion(0),
            handled: 0,
            left_out: 0,
            stopped: None,
            spacing: None,
        }
    }

    /// Begins behind an event, over the rows that all up to it left; none of them is set aside.
    pub(super) fn begin_at(&mut self, version: StreamVersion, rows: WriteSet) {
        self.version = version;
        self.rows.changed = Arc::new(rows);
    }

    /// From now on snapshots are taken.
    pub(super) fn take_snapshots(&mut self, spacing: Spacing) {
        self.spacing = Some(spacing);
    }

    /// The module.
    pub(super) fn module(&self) -> &ProjectionModule {
        &self.module
    }

    /// The rows that the events have left.
    pub(super) fn rows(&self) -> &WriteSet {
        &self.rows.changed
    }

    /// Why the rows of a version are not known, if folding has ended before it.
    pub(super) fn error_of_stop(&self) -> Option<PastError> {
        let (version, failure) = self.stopped.as_ref()?;
        Some(PastError::Stopped {
            projection: self.logic.projection.clone(),
            logic: self.logic.version,
            stream: self.stream.clone(),
            version: *version,
            failure: failure.clone(),
        })
    }

    /// Folds the next events of the stream, until the deadline at the latest; `taken` gets the snapshots that are due. Blocks.
    pub(super) fn fold(
        &mut self,
        events: Vec<RecordedEvent>,
        deadline: Instant,
        taken: &mut Vec<Taken>,
    ) -> Result<(), PastError> {
        silently(|| {
            let mut chunk = Vec::new();
            for event in events {
                // A snapshot would keep what of it is forgotten later.
                self.spacing = self.spacing.filter(|_| !event.is_personal);
                let (stamp, bytes) = (EventStamp::of(&event), event.bytes());
                chunk.push(event);
                let spacing = self.spacing.as_mut();
                let is_boundary = spacing.is_some_and(|spacing| spacing.is_boundary(stamp.version, bytes));
                if chunk.len() < CHUNK && !is_boundary {
                    continue;
                }
                self.fold_chunk(&std::mem::take(&mut chunk))?;
                if is_boundary && self.is_whole() {
                    let rows = &self.rows.changed;
                    taken.extend(self.spacing.as_mut().and_then(|spacing| spacing.take(stamp, rows)));
                }
                self.check_time(deadline)?;
            }
            self.fold_chunk(&chunk)
        })
    }

    /// Other events are set aside, as a build says at another instant. Nothing is folded yet.
    pub(super) fn set_aside_as(&mut self, set_aside: SetAside) {
        self.set_aside = set_aside;
    }

    /// Checks that there is time left.
    pub(super) fn check_time(&self, deadline: Instant) -> Result<(), PastError> {
        match Instant::now() < deadline {
            true => Ok(()),
            false => Err(PastError::TimedOut { stream: self.stream.clone(), reached: self.version }),
        }
    }

    /// The position of the first event that the build has set aside.
    pub(super) fn first_set_aside(&self) -> Option<Position> {
        self.set_aside.first()
    }

    /// Whether all events up to here count that the projection reads: the rows are then a function of the events and the logic alone.
    pub(super) fn is_whole(&self) -> bool {
        self.left_out == 0 && self.stopped.is_none()
    }

    fn fold_chunk(&mut self, events: &[RecordedEvent]) -> Result<(), PastError> {
        let Some(last) = events.last() else { return Ok(()) };
        let is_simple = |event: &RecordedEvent| {
            passed_over(event, &self.filter).is_some() || self.set_aside.of(event.position) == Known::Folded
        };
        if self.stopped.is_none() && events.iter().all(is_simple) {
            let is_read = |event: &&RecordedEvent| passed_over(event, &self.filter).is_none();
            let read: Vec<Delivery> = events.iter().filter(is_read).cloned().map(Delivery::from).collect();
            let count = read.len() as u64;
            match self.run(read) {
                Ok(None) => {}
                Ok(Some(writes)) => self.rows.add(writes),
                Err(FoldError::Module(_)) => return self.fold_each(events),
                Err(FoldError::Other(error)) => return Err(error),
            }
            self.handled += count;
            self.version = last.version;
            return self.check_size();
        }
        self.fold_each(events)
    }

    fn fold_each(&mut self, events: &[RecordedEvent]) -> Result<(), PastError> {
        for event in events {
            self.step(event, false)?;
        }
        Ok(())
    }

    /// Folds the next event of the stream, and shows what it changes. Blocks.
    pub(super) fn fold_one(&mut self, event: &RecordedEvent) -> Result<Folded, PastError> {
        silently(|| self.step(event, true))
    }

    fn step(&mut self, event: &RecordedEvent, shows_changes: bool) -> Result<Folded, PastError> {
        self.version = event.version;
        if let Some(reason) = passed_over(event, &self.filter) {
            return Ok(Folded::without_changes(Status::PassedOver(reason)));
        }
        if self.stopped.is_some() {
            return Ok(Folded::without_changes(Status::ToCome));
        }
        match self.set_aside.of(event.position) {
            Known::Folded => {}
            Known::Failed(failure) => {
                self.left_out += 1;
                return Ok(Folded::failed(Status::SetAside, failure));
            }
            Known::Waits => {
                self.left_out += 1;
                return Ok(Folded::without_changes(Status::Waits));
            }
        }
        match self.run(vec![Delivery::from(event.clone())]) {
            Ok(None) => Ok(Folded::without_changes(Status::PassedOver(PassedOver::Upcasters))),
            Ok(Some(writes)) => {
                let mut folded = Folded::without_changes(Status::Handled);
                if shows_changes {
                    let shown = changes(&mut self.rows, writes.clone());
                    (folded.changes, folded.more_changes) =
                        shown.map_err(|error| PastError::Host(error.to_string()))?;
                }
                self.rows.add(writes);
                self.handled += 1;
                self.check_size()?;
                Ok(folded)
            }
            Err(FoldError::Module(failure)) if self.set_aside.fail(event.position) => {
                self.left_out += 1;
                Ok(Folded::failed(Status::SetAside, failure))
            }
            Err(FoldError::Module(failure)) => {
                self.stopped = Some((event.version, failure.clone()));
                Ok(Folded::failed(Status::StoppedAt, failure))
            }
            Err(FoldError::Other(error)) => Err(error),
        }
    }

    /// Lets upcasters and module handle events, which are as the log has them. `None` if the upcasters make none that the module wants.
    fn run(&mut self, mut events: Vec<Delivery>) -> Result<Option<WriteSet>, FoldError> {
        if let Some(chain) = &mut self.chain {
            chain.upcast(&mut events).map_err(|UpcastError { upcaster, error }| match FoldError::from(error) {
                FoldError::Module(failure) => {
                    FoldError::Module(Box::new(ModuleFailure { upcaster: Some(upcaster), ..*failure }))
                }
                other => other,
            })?;
            events = wanted(&events, self.module.descriptor());
        }
        let Some(first) = events.first().map(|event| event.position) else { return Ok(None) };
        // One whose call fails is not used again.
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(first)?,
        };
        let writes = instance.handle(&events, Box::new(self.rows.clone()))?;
        self.instance = Some(instance);
        Ok(Some(writes))
    }

    fn check_size(&mut self) -> Result<(), PastError> {
        self.rows.forget_deleted();
        let bytes = self.rows.changed.memory();
        if bytes <= self.max_bytes {
            return Ok(());
        }
        Err(PastError::TooLarge { stream: self.stream.clone(), version: self.version, bytes, max: self.max_bytes })
    }
}
