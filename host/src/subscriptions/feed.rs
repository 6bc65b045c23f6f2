//! Reading the log ahead of the module.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    batch::{Batch, BatchSize},
    passing_over::PassingOver,
    piece::{Choice, Part, read},
    shared_pieces::{SharedPiece, SharedPieces, SharedReader},
};
use crate::event_log::{EventLog, Filter, Position};

/// Pieces that are read ahead, and the most that one has: enough for a COPY to be worth it.
const AHEAD: usize = 4;
const PIECE: BatchSize = BatchSize { max_events: 8192, max_bytes: 4 * 1024 * 1024 };
/// Events of the first piece, while the size of the events is not known.
pub(crate) const FIRST_PIECE: usize = 256;
/// So many positions before the end of the log, what is read is shared with other builds.
const FAR: u64 = 4096;
/// Who wants at least one of so many events reads what others want as well: they have most of it then.
const DENSE: u64 = 4;

/// The batches of a subscription, read ahead, in pieces, by a task that ends when this is dropped.
pub(crate) struct Feed {
    pieces: mpsc::Receiver<Result<Batch, sqlx::Error>>,
    /// A piece that was too much for the last batch.
    left: Option<Result<Batch, sqlx::Error>>,
    /// `None` once it has ended and was joined.
    reader: Option<JoinHandle<()>>,
    /// Whether it may pass over events that do not match, without a batch for each.
    may_pass_over: watch::Sender<bool>,
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

    /// Allows the feed to pass over events that do not match for a while, until somebody waits for a later position; or does not allow it, as
    /// at the beginning.
    pub(crate) fn pass_over(&self, allowed: bool) {
        self.may_pass_over.send_if_modified(|before| std::mem::replace(before, allowed) != allowed);
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

/// What a feed reads.
pub(crate) struct Wanted {
    /// The log is read behind this position,
    pub(crate) after: Position,
    /// and not beyond this one.
    pub(crate) until: Option<Position>,
    pub(crate) filter: Filter,
    pub(crate) size: BatchSize,
    /// Events of the first piece. The next has twice as many, and so on up to what `size` allows.
    pub(crate) first: usize,
    /// For how long events that do not match may be passed over, where that is [allowed](Feed::pass_over).
    pub(crate) passed_over_for: Duration,
    /// The position that somebody waits for, to which the feed then comes at once.
    pub(crate) awaited: watch::Receiver<Position>,
}

/// Reads what is wanted, until the feed is dropped. Far from the end of the log it reads together with the feeds that have the same `shared`.
/// The feed ends with the first error.
pub(crate) fn follow(log: EventLog, wanted: Wanted, shared: Option<&SharedPieces>) -> Feed {
    let (send, pieces) = mpsc::channel(AHEAD);
    let Wanted { after, until, filter, size, first, passed_over_for, awaited } = wanted;
    let may_pass_over = watch::Sender::new(false);
    let mut passing = PassingOver::behind(after, passed_over_for, awaited, may_pass_over.subscribe());
    let size = size.min(PIECE);
    let shared = shared.filter(|_| filter.query.is_none()).map(|shared| shared.join(&filter));
    let mut pieces_of = Reader { log, until, choice: Choice::of(&filter), filter, shared, is_dense: None };
    let reader = tokio::spawn(async move {
        let mut after = after;
        let mut limit = first.clamp(1, size.max_events.max(1));
        let (mut head, mut restores) = (pieces_of.log.head(), pieces_of.log.restores());
        // The first piece is sent even if it is empty: its `at_head` says that the log ends here.
        let mut at_start = true;
        let mut passed_over = None;
        loop {
            let mut next = None;
            if !at_start {
                let is_restored = tokio::select! {
                    () = send.closed() => return,
                    restored = restores.changed() => restored.is_ok(),
                    moved = head.wait_for(|head| *head > after) => if moved.is_err() { return } else { false },
                    () = passing.until_due() => {
                        next = passed_over.take();
                        false
                    }
                };
                if is_restored {
                    // The next run begins where the database says.
                    let _ = send.send(Err(sqlx::Error::Protocol("the log was restored".to_owned()))).await;
                    return;
                }
            }
            let is_due = next.is_some();
            let piece = match next {
                Some(piece) => Ok(piece),
                None => {
                    let known_head = *head.borrow();
                    let piece = pieces_of.next(after, size, limit, known_head).await;
                    if let Ok(piece) = &piece
                        && piece.to == after
                        && !at_start
                    {
                        continue;
                    }
                    piece
                }
            };
            let failed = piece.is_err();
            let piece = match piece {
                Ok(piece) => {
                    after = piece.to;
                    limit = size.next_limit(limit, &piece);
                    // Up to a barrier the consumer has to get at once.
                    let may_wait = piece.events.len() == 0 && !at_start && !is_due && until.is_none();
                    if may_wait && passing.pass() {
                        passed_over = Some(piece);
                        continue;
                    }
                    passed_over = None;
                    passing.told(piece.to);
                    Ok(piece)
                }
                failed => failed,
            };
            at_start = false;
            if send.send(piece).await.is_err() || failed {
                return;
            }
            if until.is_some_and(|until| after >= until) {
                return send.closed().await;
            }
        }
    });
    Feed { pieces, left: None, reader: Some(reader), may_pass_over }
}

/// Reads one piece after the other, alone or together with others.
struct Reader {
    log: EventLog,
    until: Option<Position>,
    filter: Filter,
    choice: Choice,
    shared: Option<SharedReader>,
    /// Whether the last piece had many of the events of its range; `None` before the first one.
    is_dense: Option<bool>,
}

impl Reader {
    async fn next(
        &mut self,
        after: Position,
        size: BatchSize,
        limit: usize,
        head: Position,
    ) -> Result<Batch, sqlx::Error> {
        let is_far = head.0.saturating_sub(after.0) >= FAR;
        let (piece, is_own) = match (&self.shared, self.is_dense) {
            // The first piece is its own: it says how large events are, and how many of them are wanted.
            (Some(shared), Some(is_dense)) if is_far => {
                let SharedPiece { piece, filter } = shared.next(&self.log, after, size.page(limit), is_dense).await?;
                (piece, filter == *shared.filter())
            }
            (shared, _) => {
                shared.iter().for_each(SharedReader::step_aside);
                (Arc::new(read(&self.log, after, size.page(limit), &self.filter).await?), true)
            }
        };
        let to = self.until.map_or(piece.to, |until| until.min(piece.to));
        let mut at_head = to >= piece.head;
        if at_head && self.shared.is_some() && is_far {
            // It may have been read a while ago.
            at_head = to >= self.log.read_head().await?;
        }
        let part = Part::of(piece, after, Some(to), (!is_own).then_some(&self.choice));
        let passed = to.0.saturating_sub(after.0);
        if passed > 0 {
            self.is_dense = Some(part.len() as u64 >= passed / DENSE);
        }
        Ok(Batch::of(part, to, at_head))
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
