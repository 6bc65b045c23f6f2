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
    /// What they take in memory, about.
    bytes: usize,
    /// The last position of the range, whether or not the event there matches.
    pub(crate) to: Position,
    /// Whether the log ended here when it was read.
    pub(crate) at_head: bool,
}

/// Pieces that are read ahead, and the most that one has: enough for a COPY to be worth it.
const AHEAD: usize = 4;
const PIECE: BatchSize = BatchSize { max_events: 8192, max_bytes: 4 * 1024 * 1024 };
/// Events of the first piece, while the size of the events is not known.
pub(crate) const FIRST_PIECE: usize = 256;

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
        Self { max_events: 32768, max_bytes: 16 * 1024 * 1024 }
    }
}

/// The batches of a subscription, read ahead, in pieces, by a task that ends when this is dropped.
pub(crate) struct Feed {
    pieces: mpsc::Receiver<Result<Batch, sqlx::Error>>,
    /// A piece that was too much for the last batch.
    left: Option<Result<Batch, sqlx::Error>>,
    /// `None` once it has ended and was joined.
    reader: Option<JoinHandle<()>>,
}

impl Feed {
    /// Waits for the next batch: a piece, and those behind it that were read already, as long as all of them have the size. Returns `None` if
    /// there will be no more: after an error, or because the log is closed.
    ///
    /// # Panics
    /// The reading task panicked; its panic goes on here.
    pub(crate) async fn next(&mut self, size: BatchSize) -> Option<Result<Batch, sqlx::Error>> {
        let first = match self.left.take() {
            Some(left) => Some(left),
            None => self.next_piece().await,
        };
        let mut batch = match first? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        while let Ok(piece) = self.pieces.try_recv() {
            match piece {
                Ok(piece) if batch.has_room(&piece, size) => batch.append(piece),
                left => {
                    self.left = Some(left);
                    break;
                }
            }
        }
        Some(Ok(batch))
    }

    async fn next_piece(&mut self) -> Option<Result<Batch, sqlx::Error>> {
        let piece = self.pieces.recv().await;
        if piece.is_none()
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
        piece
    }
}

/// Reads the log behind `after` and not beyond `until`, until the feed is dropped. The first pieces have `first` events, twice
/// as many, and so on up to what `size` allows. The feed ends with the first error.
pub(crate) fn follow(
    log: EventLog,
    after: Position,
    until: Option<Position>,
    filter: Filter,
    size: BatchSize,
    first: usize,
) -> Feed {
    let (send, pieces) = mpsc::channel(AHEAD);
    let size = size.min(PIECE);
    let reader = tokio::spawn(async move {
        let mut after = after;
        let mut limit = first.clamp(1, size.max_events.max(1));
        let (mut head, mut restores) = (log.head(), log.restores());
        // The first piece is sent even if it is empty: its `at_head` says that the log ends here.
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
            let piece = read(&log, after, size.page(limit), &filter).await.map(|piece| piece.clip(until));
            let failed = piece.is_err();
            if let Ok(piece) = &piece {
                if piece.to == after && !at_start {
                    continue;
                }
                after = piece.to;
                limit = size.next_limit(limit, piece);
            }
            at_start = false;
            if send.send(piece).await.is_err() || failed {
                return;
            }
            if until.is_some_and(|until| after >= until) {
                return send.closed().await;
            }
        }
    });
    Feed { pieces, left: None, reader: Some(reader) }
}

async fn read(log: &EventLog, after: Position, size: PageSize, filter: &Filter) -> Result<Batch, sqlx::Error> {
    let began = Instant::now();
    let page = log.read_batch(after, size, filter).await?;
    metrics::of_host().projector.read(page.events.len(), began.elapsed());
    let to = page.next.unwrap_or(after);
    let events: Vec<Delivery> = page.events.into_iter().map(Delivery::from).collect();
    let bytes = events.iter().map(bytes_of).sum();
    Ok(Batch { events, bytes, to, at_head: to >= page.head })
}

impl Batch {
    /// Whether it and what comes behind it have a size.
    fn has_room(&self, next: &Self, size: BatchSize) -> bool {
        self.events.len() + next.events.len() <= size.max_events && self.bytes + next.bytes <= size.max_bytes
    }

    /// Adds what comes behind it.
    fn append(&mut self, mut next: Self) {
        self.events.append(&mut next.events);
        self.bytes += next.bytes;
        (self.to, self.at_head) = (next.to, next.at_head);
    }

    /// Drops the events behind a position.
    fn clip(mut self, until: Option<Position>) -> Self {
        if let Some(until) = until.filter(|until| *until < self.to) {
            self.events.retain(|event| event.position <= until);
            self.bytes = self.events.iter().map(bytes_of).sum();
            (self.to, self.at_head) = (until, false);
        }
        self
    }
}

impl BatchSize {
    fn min(self, other: Self) -> Self {
        let (max_events, max_bytes) = (self.max_events.min(other.max_events), self.max_bytes.min(other.max_bytes));
        Self { max_events, max_bytes }
    }

    /// What is read at once. How many events fit is a guess; where they are suddenly larger, their bytes end the batch.
    fn page(self, events: usize) -> PageSize {
        PageSize { events, bytes: self.max_bytes.saturating_mul(4) }
    }

    /// The number of events that keeps the next piece within its bytes, if its events are as large as those of the last one;
    /// at most twice as many as before.
    fn next_limit(self, limit: usize, last: &Batch) -> usize {
        // An empty piece says nothing about the size of events.
        if last.events.is_empty() {
            return limit;
        }
        let average = last.bytes / last.events.len();
        let fitting = self.max_bytes / average.max(1);
        fitting.clamp(1, self.max_events.min(limit * 2))
    }
}

fn bytes_of(event: &Delivery) -> usize {
    size_of::<Delivery>()
        + event.data.len()
        + event.stream.len()
        + event.event_type.len()
        + event.metadata.as_ref().map_or(0, |metadata| metadata.len())
        + event.tags.iter().map(|tag| size_of_val(tag) + tag.len()).sum::<usize>()
}
