//! Folds an event again, in an instance of its own, over the rows as they were before it.
//!
//! What is shown has to be true, so the rows before the event are never guessed. There are two ways to have them. For an event that the build
//! has not come to, they are its committed rows, and over them what the events between change. For an event that is handled, the rows of
//! today say nothing of those of then: all that the rows depend on is replayed from the begin, which is the stream for a projection that is
//! partitioned by stream, and everything that the build reads otherwise. Where that is more than a bounded number of events, it is said, and
//! nothing is shown.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;

use super::{error::ExplainError, turn::Turn};
use crate::{
    builds::{Build, names_of},
    event_log::{Direction, EventLog, Filter, PageSize, Position, RecordedEvent},
    modules::Modules,
    past::{Committed, FoldedRows, RowChange, changes, passed_over, silently, wanted},
    read_model::TableSet,
    runtime::{BatchError, Delivery, ModuleFailure, Partition, ProjectionModule, UpcasterChain},
    subscriptions::dead_letters_after,
};

/// Events before the one that is explained that are folded, at most.
const MAX_EVENTS: usize = 10_000;
/// Bytes of their data.
const MAX_BYTES: usize = 16 << 20;
/// Events that are folded at once.
const CHUNK: usize = 256;
/// What is needed to fold an event again.
pub(super) struct Folding<'f> {
    pub(super) log: &'f EventLog,
    pub(super) pool: &'f PgPool,
    pub(super) modules: &'f Modules,
    pub(super) build: &'f Build,
    pub(super) checkpoint: Position,
    pub(super) filter: &'f Filter,
    pub(super) deadline: Instant,
    pub(super) turn: &'f Turn,
}

/// An event that was folded again, or why it was not.
pub type FoldOutcome = Result<Fold, NotFolded>;

/// The result of folding an event again.
#[derive(Clone, Debug)]
pub struct Fold {
    /// What the rows before the event were made of.
    pub over: FoldedOver,
    /// How long the module took for the event, with the reading of its rows, in an instance that had handled the events before.
    pub time: Duration,
    /// The rows that it changes, or how the module fails.
    pub changes: Result<Vec<RowChange>, ModuleFailure>,
    /// How many more rows it changes.
    pub more_changes: usize,
}

/// What the rows before an event were made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldedOver {
    /// The earlier events of its stream, on which all rows depend that it can change.
    Stream {
        /// How many events of the log those are.
        events: usize,
    },
    /// All earlier events that the build reads.
    Log {
        /// How many events of the log those are.
        events: usize,
    },
    /// The committed rows of the build, and what the events between change.
    Rows {
        /// The checkpoint of the rows.
        checkpoint: Position,
        /// How many events of the log lie between.
        events: usize,
    },
}

/// Why an event was not folded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFolded {
    /// More events come before it than are folded.
    TooMany {
        /// The most that are.
        max: usize,
    },
    /// An earlier event cannot be folded.
    Earlier(Box<ModuleFailure>),
    /// The time was over.
    NoTime,
    /// The event is set aside, and what its module would make of it depends on when it is tried again.
    SetAside,
    /// This host cannot: why.
    Host(String),
}

/// The events before the one that is explained.
struct Before {
    over: FoldedOver,
    events: Vec<Delivery>,
    committed: Option<Arc<Committed>>,
}

/// Folds an event again. `event` is as it is in the log, `made` what the module gets of it.
pub(super) async fn fold(
    folding: Folding<'_>,
    event: &RecordedEvent,
    made: Vec<Delivery>,
) -> Result<FoldOutcome, ExplainError> {
    if Instant::now() >= folding.deadline {
        return Ok(Err(NotFolded::NoTime));
    }
    let module = match folding.modules.load_projection(&folding.build.projection, folding.build.version).await {
        Ok(module) => module,
        Err(error) => return Ok(Err(NotFolded::Host(error.to_string()))),
    };
    let chain = match folding.build.upcasters.as_slice() {
        [] => None,
        upcasters => match folding.modules.load_chain(&names_of(upcasters)).await {
            Ok(chain) => Some(chain),
            Err(error) => return Ok(Err(NotFolded::Host(error.to_string()))),
        },
    };
    let before = match events_before(&folding, event, &module).await? {
        Ok(before) => before,
        Err(not_folded) => return Ok(Err(not_folded)),
    };
    let (deadline, turn) = (folding.deadline, Arc::clone(folding.turn));
    let folded = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        silently(|| replay(&module, chain, before, &made, deadline))
    });
    folded.await.map_err(|_| ExplainError::Interrupted)
}

/// Reads all on which the rows before an event depend.
async fn events_before(
    folding: &Folding<'_>,
    event: &RecordedEvent,
    module: &ProjectionModule,
) -> Result<Result<Before, NotFolded>, ExplainError> {
    let Folding { log, pool, build, filter, .. } = *folding;
    let subscription = build.id.subscription();
    let size = PageSize { events: MAX_EVENTS, bytes: MAX_BYTES };
    let mut committed = None;
    let (events, is_whole) = if event.position > folding.checkpoint {
        let tables = TableSet::new(build.id.schema(), module.tables());
        if let Some(missing) = tables.missing(pool).await? {
            return Ok(Err(NotFolded::Host(format!("its table {missing} is missing"))));
        }
        let taken = Committed::take(pool, subscription, tables).await?;
        let checkpoint = taken.checkpoint;
        if checkpoint >= event.position {
            return Ok(Err(NotFolded::Host("the build has just handled it; ask again".to_owned())));
        }
        committed = Some(Arc::new(taken));
        of_log(log, checkpoint, event.position, size, filter).await?
    } else if module.descriptor().partitioned_by == Some(Partition::Stream) {
        let page = log.read_stream(&event.stream, None, size, Direction::Forward).await?;
        let events = page.map(|page| page.events).unwrap_or_default();
        let is_whole = events.last().is_some_and(|last| last.position >= event.position);
        let is_read =
            |earlier: &RecordedEvent| earlier.position < event.position && passed_over(earlier, filter).is_none();
        (events.into_iter().filter(is_read).collect(), is_whole)
    } else {
        of_log(log, Position(0), event.position, size, filter).await?
    };
    if !is_whole {
        return Ok(Err(NotFolded::TooMany { max: MAX_EVENTS }));
    }
    let letters = dead_letters_after(pool, subscription, Position(0), MAX_EVENTS).await?;
    if letters.len() == MAX_EVENTS {
        return Ok(Err(NotFolded::TooMany { max: MAX_EVENTS }));
    }
    let set_aside: HashSet<Position> = letters.into_iter().map(|(position, _)| position).collect();
    if set_aside.contains(&event.position) {
        return Ok(Err(NotFolded::SetAside));
    }
    let events: Vec<RecordedEvent> = events.into_iter().filter(|event| !set_aside.contains(&event.position)).collect();
    let count = events.len();
    let over = match &committed {
        Some(committed) => FoldedOver::Rows { checkpoint: committed.checkpoint, events: count },
        None if module.descriptor().partitioned_by == Some(Partition::Stream) => FoldedOver::Stream { events: count },
        None => FoldedOver::Log { events: count },
    };
    Ok(Ok(Before { over, events: events.into_iter().map(Delivery::from).collect(), committed }))
}

/// The events between two positions that a filter lets through, and whether those are all.
async fn of_log(
    log: &EventLog,
    after: Position,
    before: Position,
    size: PageSize,
    filter: &Filter,
) -> Result<(Vec<RecordedEvent>, bool), sqlx::Error> {
    let page = log.read(Direction::Forward, Some(after), size, filter).await?;
    let is_whole = page.next.is_some_and(|next| next.next() >= before);
    Ok((page.events.into_iter().filter(|event| event.position < before).collect(), is_whole))
}

/// Folds the events before, and then the one that is explained. Blocks.
fn replay(
    module: &ProjectionModule,
    mut chain: Option<UpcasterChain>,
    before: Before,
    made: &[Delivery],
    deadline: Instant,
) -> FoldOutcome {
    let Before { over, mut events, committed } = before;
    let host = |error: BatchError| match error {
        BatchError::Module(failure) => NotFolded::Earlier(failure),
        error => NotFolded::Host(error.to_string()),
    };
    if let Some(chain) = &mut chain {
        chain.upcast(&mut events).map_err(|failed| host(failed.error))?;
        events = wanted(&events, module.descriptor());
    }
    let first = events.first().or(made.first()).map_or(Position(0), |event| event.position);
    let mut instance = module.instantiate(first).map_err(host)?;
    let mut rows = FoldedRows::over(module.tables(), committed);
    let mut rest = events.as_slice();
    while !rest.is_empty() {
        if Instant::now() >= deadline {
            return Err(NotFolded::NoTime);
        }
        // Not between two events that upcasters made of one.
        let mut end = rest.len().min(CHUNK);
        while end < rest.len() && rest[end].position == rest[end - 1].position {
            end += 1;
        }
        let writes = instance.handle(&rest[..end], Box::new(rows.clone())).map_err(host)?;
        rows.add(writes);
        rest = &rest[end..];
    }
    let began = Instant::now();
    let folded = instance.handle(made, Box::new(rows.clone()));
    let time = began.elapsed();
    match folded {
        Ok(writes) => {
            let (changes, more_changes) =
                changes(&mut rows, writes).map_err(|error| NotFolded::Host(error.to_string()))?;
            Ok(Fold { over, time, changes: Ok(changes), more_changes })
        }
        Err(BatchError::Module(failure)) => Ok(Fold { over, time, changes: Err(*failure), more_changes: 0 }),
        Err(error) => Err(NotFolded::Host(error.to_string())),
    }
}
