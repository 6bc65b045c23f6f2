//! The history of a stream: each event with the rows before and after it, which is its audit trail.

use std::{collections::VecDeque, time::Instant};

use super::{
    Past,
    asking::Question,
    changes::RowChange,
    error::PastError,
    fold::{Folded, StreamFold},
    told::Told,
    verdict::Status,
};
use crate::{
    event_log::{Direction, EventLog, PageSize, RecordedEvent, StreamName, StreamVersion},
    modules::ModuleVersion,
    read_model::Identifier,
    runtime::ModuleFailure,
};

/// A page of the history of a stream.
#[derive(Clone, Debug)]
pub struct HistoryPage {
    /// Of what it is made.
    pub told: Told,
    /// The events, in the order that is asked for.
    pub events: Vec<PastEvent>,
    /// The version after which the next page begins, in the same order; `None` if there are no older events.
    pub next: Option<StreamVersion>,
}

/// An event of the past, and what it has changed.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// The event, as it is in the log.
    pub event: RecordedEvent,
    /// What became of it.
    pub status: Status,
    /// How the module fails at it, if it does.
    pub failure: Option<Box<ModuleFailure>>,
    /// The rows that it changes, by table and key.
    pub changes: Vec<RowChange>,
    /// How many more rows it changes.
    pub more_changes: usize,
}

impl PastEvent {
    fn new(event: RecordedEvent, folded: Folded) -> Self {
        let Folded { status, failure, changes, more_changes } = folded;
        Self { event, status, failure, changes, more_changes }
    }

    /// The bytes of what is shown, about.
    fn bytes(&self) -> usize {
        self.event.bytes() + self.changes.iter().map(RowChange::bytes).sum::<usize>()
    }
}

impl Past {
    /// A page of the history of a stream, as a version of a projection tells it. `after` is the version to begin after, in the direction of
    /// reading; the page ends with the event that reaches its bytes.
    ///
    /// # Errors
    /// See [`PastError`].
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the request")]
    pub async fn history(
        &self,
        log: &EventLog,
        stream: &StreamName,
        projection: &Identifier,
        version: Option<ModuleVersion>,
        after: Option<StreamVersion>,
        size: PageSize,
        direction: Direction,
    ) -> Result<HistoryPage, PastError> {
        let mut asking = self.ask(Question { log, stream, projection, version }).await?;
        let newest = asking.newest;
        let events = u64::try_from(size.events).unwrap_or(u64::MAX);
        let (low, high) = match direction {
            Direction::Forward => {
                let low = after.unwrap_or_default();
                if low > newest {
                    return Err(PastError::Beyond { stream: stream.clone(), asked: low, newest });
                }
                (low, StreamVersion(low.0.saturating_add(events).min(newest.0)))
            }
            Direction::Backward => {
                let high = after.map_or(newest.0, |after| after.0.saturating_sub(1).min(newest.0));
                (StreamVersion(high.saturating_sub(events)), StreamVersion(high))
            }
        };
        asking.fold_from_snapshot(low).await?;
        let mut page = Filling { events: VecDeque::new(), bytes: 0, max_bytes: size.bytes, direction };
        while !page.is_full() && asking.reading.version() < high {
            let events = asking.next_events(high).await?;
            let deadline = asking.deadline();
            let filled = asking.work(move |fold| page.fill(fold, events, deadline).map(|()| page)).await?;
            page = filled?;
        }
        let mut events = Vec::from(page.events);
        if direction == Direction::Backward {
            events.reverse();
        }
        let last = events.last().map(|last| last.event.version);
        let next = match direction {
            Direction::Forward => Some(last.unwrap_or(low)),
            Direction::Backward => last.filter(|last| last.0 > 1),
        };
        Ok(HistoryPage { told: asking.told(), events, next })
    }
}

/// A page, oldest event first, that fills in the order of the log.
struct Filling {
    events: VecDeque<PastEvent>,
    bytes: usize,
    max_bytes: usize,
    direction: Direction,
}

impl Filling {
    /// Whether no newer event is wanted.
    fn is_full(&self) -> bool {
        self.direction == Direction::Forward && self.bytes >= self.max_bytes
    }

    fn fill(&mut self, fold: &mut StreamFold, events: Vec<RecordedEvent>, deadline: Instant) -> Result<(), PastError> {
        for event in events {
            if self.is_full() {
                return Ok(());
            }
            let folded = fold.fold_one(&event)?;
            self.add(PastEvent::new(event, folded));
            fold.check_time(deadline)?;
        }
        Ok(())
    }

    /// Adds a newer event. Who reads backward wants the newest: the oldest go as soon as the others are enough.
    fn add(&mut self, event: PastEvent) {
        self.bytes += event.bytes();
        self.events.push_back(event);
        if self.direction == Direction::Backward {
            while let Some(oldest) = self.events.front()
                && self.events.len() > 1
                && self.bytes - oldest.bytes() >= self.max_bytes
            {
                self.bytes -= oldest.bytes();
                self.events.pop_front();
            }
        }
    }
}
