//! Reading the log ahead of the module.

use std::{panic::resume_unwind, time::Instant};

use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    event_log::{EventLog, Filter, PageSize, Position},
    metrics,
    runtime::Delivery,
};

/// A range of the log: the events in it that match the filter.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Delivery>,
    /// The last position of the range, whether or not the event there matches.
    pub(crate) to: Position,
    /// Whether the log ended here when it was read.
    pub(crate) at_head: bool,
}

/// Batches that are read ahead.
const AHEAD: usize = 2;
/// Events of the first batch, while the size of the events is not known.
pub(crate) const FIRST_BATCH: usize = 256;

/// How much of the log a module gets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Events, at most.
    pub max_events: usize,
    /// Bytes of events, about.
    pub max_bytes: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { max_events: 8192, max_bytes: 4 * 1024 * 1024 }
    }
}

/// The batches of a subscription, read ahead by a task that ends when this is dropped.
pub(crate) struct Feed {
    batches: mpsc::Receiver<Result<Batch, sqlx::Error>>,
    /// `None` once it has ended and was joined.
    reader: Option<JoinHandle<()>>,
}

impl Feed {
    /// Waits for the next batch. Returns `None` if there will be no more: after an error, or because the log is closed.
    ///
    /// # Panics
    /// The reading task panicked; its panic goes on here.
    pub(crate) async fn next(&mut self) -> Option<Result<Batch, sqlx::Error>> {
        let batch = self.batches.recv().await;
        if batch.is_none()
            && let Some(reader) = &mut self.reader
        {
            let ended = reader.await;
            self.reader = None;
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                resume_unwind(panic);
            }
        }
        batch
    }
}

/// Reads the log behind `after` and not beyond `until`, until the feed is dropped. The first batches have `first` events, twice
/// as many, and so on up to what `size` allows. The feed ends with the first error.
pub(crate) fn follow(
    log: EventLog,
    after: Position,
    until: Option<Position>,
    filter: Filter,
    size: BatchSize,
    first: usize,
) -> Feed {
    let (send, batches) = mpsc::channel(AHEAD);
    let reader = tokio::spawn(async move {
        let mut after = after;
        let mut limit = first.clamp(1, size.max_events.max(1));
        let (mut head, mut restores) = (log.head(), log.restores());
        // The first batch is sent even if it is empty: its `at_head` says that the log ends here.
        let mut at_start = true;
        loop {
            if !at_start {
                let is_restored = tokio::select! {
                    () = send.closed() => return,
                    restored = restores.changed() => restored.is_ok(),
                    moved = head.wait_for(|head| *head > after) => if moved.is_err() { return } else { false },
                };
                if is_restored {
                    // The next run begins where the database says.
                    let _ = send.send(Err(sqlx::Error::Protocol("the log was restored".to_owned()))).await;
                    return;
                }
            }
            let batch = read(&log, after, size.page(limit), &filter).await.map(|batch| batch.clip(until));
            let failed = batch.is_err();
            if let Ok(batch) = &batch {
                if batch.to == after && !at_start {
                    continue;
                }
                after = batch.to;
                limit = size.next_limit(limit, batch);
            }
            at_start = false;
            if send.send(batch).await.is_err() || failed {
                return;
            }
            if until.is_some_and(|until| after >= until) {
                return send.closed().await;
            }
        }
    });
    Feed { batches, reader: Some(reader) }
}

async fn read(log: &EventLog, after: Position, size: PageSize, filter: &Filter) -> Result<Batch, sqlx::Error> {
    let began = Instant::now();
    let page = log.read_batch(after, size, filter).await?;
    metrics::of_host().projector.read(page.events.len(), began.elapsed());
    let to = page.next.unwrap_or(after);
    Ok(Batch { events: page.events.into_iter().map(Delivery::from).collect(), to, at_head: to >= page.head })
}

impl Batch {
    /// Drops the events behind a position.
    fn clip(mut self, until: Option<Position>) -> Self {
        if let Some(until) = until.filter(|until| *until < self.to) {
            self.events.retain(|event| event.position <= until);
            (self.to, self.at_head) = (until, false);
        }
        self
    }
}

impl BatchSize {
    /// What is read at once. How many events fit is a guess; where they are suddenly larger, their bytes end the batch.
    fn page(self, events: usize) -> PageSize {
        PageSize { events, bytes: self.max_bytes.saturating_mul(4) }
    }

    /// The number of events that keeps the next batch within its bytes, if its events are as large as those of the last one;
    /// at most twice as many as before.
    fn next_limit(self, limit: usize, last: &Batch) -> usize {
        // An empty batch says nothing about the size of events.
        if last.events.is_empty() {
            return limit;
        }
        let bytes: usize = last.events.iter().map(bytes_of).sum();
        let average = bytes / last.events.len();
        let fitting = self.max_bytes / average.max(1);
        fitting.clamp(1, self.max_events.min(limit * 2))
    }
}

fn bytes_of(event: &Delivery) -> usize {
    size_of::<Delivery>()
        + event.data.len()
        + event.stream.len()
        + event.event_type.len()
        + event.metadata.as_ref().map_or(0, String::len)
        + event.tags.iter().map(|tag| size_of::<String>() + tag.len()).sum::<usize>()
}
