//! Pieces of the log that are read once for all builds of a host that replay near each other.
//!
//! Nobody leads: whoever comes first to a part of the log reads it, and who comes after finds what was read, as long as it is kept. So a build
//! that fails or stops keeps no other from going on. Who is ahead waits a moment for those who have not come to what is kept, and then goes on:
//! one that hangs, is slow, or begins while the others are far ahead reads for itself.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::piece::{Piece, read};
use crate::event_log::{EventLog, Filter, PageSize, Position};

/// The memory of the pieces that are kept for others, about, on each host.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Builds at most so many positions apart are read for together, where they want different events. It is about what is kept.
const NEAR: u64 = 128 * 1024;
/// How long who is ahead waits for others, before it drops what they have not come to.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(250);

/// The pieces that the builds of a host share. Clones are handles on one.
#[derive(Clone, Debug)]
pub(crate) struct SharedPieces(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Changes when a piece was read, or is not being read any more, and when a reader moves.
    changed: watch::Sender<()>,
    max_bytes: usize,
    wait_for_others: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// Those that replay, by number.
    readers: HashMap<u64, Reading>,
    next_reader: u64,
    /// The pieces that are being read, by the number of who reads them.
    under_way: HashMap<u64, UnderWay>,
    /// The pieces that were read, the oldest first.
    kept: VecDeque<Kept>,
    bytes: usize,
}

/// Where a build is.
#[derive(Debug)]
struct Reading {
    /// What it has up to this position it does not need any more.
    at: Option<Position>,
    filter: Arc<Filter>,
    /// Whether it wants so much of the log that it may as well read it together with others.
    is_dense: bool,
    /// Whether it reads for itself, or was waited for in vain: nothing is read or kept for it until it asks for another piece.
    is_away: bool,
}

/// A piece that is being read: it begins behind a position and has so many events, if the log has them.
#[derive(Debug)]
struct UnderWay {
    after: Position,
    events: u64,
    filter: Arc<Filter>,
    restores: u64,
}

#[derive(Debug)]
struct Kept {
    piece: Arc<Piece>,
    /// From before it was read.
    since: Instant,
    filter: Arc<Filter>,
    /// How often the log had been found to be another one when the piece was read.
    restores: u64,
}

/// One build's part in it, which ends when it is dropped.
#[derive(Debug)]
pub(super) struct SharedReader {
    pieces: SharedPieces,
    number: u64,
    filter: Arc<Filter>,
}

/// A piece, and the filter by which it was read, which lets through all that the reader wants.
#[derive(Debug)]
pub(super) struct SharedPiece {
    pub(super) piece: Arc<Piece>,
    pub(super) filter: Arc<Filter>,
}

/// What a reader does next.
enum Next {
    Found(SharedPiece),
    Read(Arc<Filter>),
    Wait(watch::Receiver<()>),
    /// There is no room until others have come further.
    WaitForOthers(watch::Receiver<()>),
}

/// Ends a read, also if it is dropped in its middle.
struct EndOfRead<'r>(&'r SharedReader);

impl Default for SharedPieces {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl SharedPieces {
    /// Pieces that take so much memory, about.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let (state, changed) = (Mutex::default(), watch::Sender::new(()));
        Self(Arc::new(Shared { state, changed, max_bytes, wait_for_others: WAIT_FOR_OTHERS }))
    }

    /// Takes part with a filter that has no query.
    pub(super) fn join(&self, filter: &Filter) -> SharedReader {
        let filter = Arc::new(filter.clone());
        let mut state = self.state();
        let number = state.next_reader;
        state.next_reader += 1;
        let reading = Reading { at: None, filter: Arc::clone(&filter), is_dense: false, is_away: true };
        state.readers.insert(number, reading);
        drop(state);
        SharedReader { pieces: self.clone(), number, filter }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedReader {
    /// The filter of this reader.
    pub(super) fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// It reads for itself from now on, until it asks for the next piece.
    pub(super) fn step_aside(&self) {
        let mut state = self.pieces.state();
        if let Some(own) = state.readers.get_mut(&self.number)
            && !std::mem::replace(&mut own.is_away, true)
        {
            self.pieces.0.changed.send_replace(());
            state.tidy();
        }
    }

    /// The piece that has what comes behind a position. It may begin before, and have more than this reader wants.
    ///
    /// # Errors
    /// Postgres fails.
    pub(super) async fn next(
        &self,
        log: &EventLog,
        after: Position,
        size: PageSize,
        is_dense: bool,
    ) -> Result<SharedPiece, sqlx::Error> {
        let restores = *log.restores().borrow();
        let mut deadline = None;
        loop {
            if let Some(kept_for) = log.may_be_kept_for() {
                self.pieces.state().forget_older(kept_for);
            }
            match self.choose(after, size, is_dense, restores) {
                Next::Found(found) => return Ok(found),
                // Its sender lives as long as this reader.
                Next::Wait(mut changed) => drop(changed.changed().await),
                Next::WaitForOthers(mut changed) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.pieces.0.wait_for_others);
                    if timeout_at(deadline, changed.changed()).await.is_err() {
                        self.pieces.state().leave_behind(self.number);
                    }
                }
                Next::Read(filter) => return self.read(log, after, size, filter, restores).await,
            }
        }
    }

    fn choose(&self, after: Position, size: PageSize, is_dense: bool, restores: u64) -> Next {
        let Shared { changed, max_bytes, .. } = &*self.pieces.0;
        let mut state = self.pieces.state();
        if let Some(own) = state.readers.get_mut(&self.number)
            && own.moves(after, is_dense)
        {
            changed.send_replace(());
        }
        let State { under_way, kept, .. } = &*state;
        let has_next = |kept: &&Kept| {
            let Kept { piece, filter, restores: then, .. } = kept;
            piece.after <= after && after < piece.to && *then == restores && is_usable(filter, &self.filter, is_dense)
        };
        if let Some(Kept { piece, filter, .. }) = kept.iter().rev().find(has_next) {
            let found = SharedPiece { piece: Arc::clone(piece), filter: Arc::clone(filter) };
            state.has_taken(self.number, &found.piece);
            changed.send_replace(());
            return Next::Found(found);
        }
        let will_have_next = |reading: &UnderWay| {
            let UnderWay { after: low, events, filter, restores: then } = reading;
            let is_within = *low <= after && after.0 - low.0 < *events;
            is_within && *then == restores && is_usable(filter, &self.filter, is_dense)
        };
        if under_way.values().any(will_have_next) {
            return Next::Wait(changed.subscribe());
        }
        if state.needed_bytes(self.number) > *max_bytes {
            return Next::WaitForOthers(changed.subscribe());
        }
        let State { readers, under_way, .. } = &mut *state;
        let mut filter = Arc::clone(&self.filter);
        if is_dense {
            let is_near =
                |other: &&Reading| !other.is_away && other.at.is_some_and(|at| at.0.abs_diff(after.0) <= NEAR);
            for other in readers.values().filter(is_near).filter(|other| other.is_dense) {
                if !filter.covers(&other.filter) {
                    filter = Arc::new(filter.or(&other.filter));
                }
            }
        }
        let events = u64::try_from(size.events).unwrap_or(u64::MAX);
        under_way.insert(self.number, UnderWay { after, events, filter: Arc::clone(&filter), restores });
        Next::Read(filter)
    }

    async fn read(
        &self,
        log: &EventLog,
        after: Position,
        size: PageSize,
        filter: Arc<Filter>,
        restores: u64,
    ) -> Result<SharedPiece, sqlx::Error> {
        let end = EndOfRead(self);
        let since = Instant::now();
        let result = read(log, after, size, &filter).await;
        let mut state = self.pieces.state();
        let result = match result {
            Ok(piece) => {
                let piece = Arc::new(piece);
                state.has_taken(self.number, &piece);
                state.keep(
                    Kept { piece: Arc::clone(&piece), since, filter: Arc::clone(&filter), restores },
                    self.pieces.0.max_bytes,
                );
                Ok(SharedPiece { piece, filter })
            }
            Err(error) => {
                // What comes next may be another database.
                state.forget();
                Err(error)
            }
        };
        drop(state);
        drop(end);
        result
    }
}

/// Whether a reader finds what it wants among what a filter lets through. Who wants little of the log passes over most of it, and takes only
/// what was read for the same.
fn is_usable(read_by: &Filter, wanted: &Filter, is_dense: bool) -> bool {
    read_by == wanted || is_dense && read_by.covers(wanted)
}

impl Reading {
    /// Notes that it is here. Returns whether it was somewhere else.
    fn moves(&mut self, at: Position, is_dense: bool) -> bool {
        let has_moved = self.at != Some(at) || self.is_away;
        (self.at, self.is_dense, self.is_away) = (Some(at), is_dense, false);
        has_moved
    }

    /// Whether it will come to a piece soon.
    fn needs(&self, Kept { piece, filter, .. }: &Kept) -> bool {
        let is_before = |at: Position| at < piece.to && piece.after.0.saturating_sub(at.0) <= NEAR;
        !self.is_away && self.at.is_some_and(is_before) && is_usable(filter, &self.filter, self.is_dense)
    }
}

impl State {
    /// Keeps a piece. Until there is room for it, the oldest one goes that nobody needs, or else the oldest.
    fn keep(&mut self, kept: Kept, max_bytes: usize) {
        while self.bytes > max_bytes {
            let unneeded = self.kept.iter().position(|kept| !self.readers.values().any(|reader| reader.needs(kept)));
            let Some(gone) = self.kept.remove(unneeded.unwrap_or_default()) else { break };
            self.bytes -= gone.piece.bytes;
        }
        self.bytes += kept.piece.bytes;
        self.kept.push_back(kept);
    }

    /// The memory of the pieces that others than one reader need.
    fn needed_bytes(&self, other_than: u64) -> usize {
        let is_needed =
            |kept: &&Kept| self.readers.iter().any(|(number, reader)| *number != other_than && reader.needs(kept));
        self.kept.iter().filter(is_needed).map(|kept| kept.piece.bytes).sum()
    }

    /// One of them waits no longer for the others that need the oldest piece.
    fn leave_behind(&mut self, waiting: u64) {
        let is_needed =
            |kept: &&Kept| self.readers.iter().any(|(number, reader)| *number != waiting && reader.needs(kept));
        let Some(oldest) = self.kept.iter().find(is_needed) else { return };
        for (number, reader) in &mut self.readers {
            reader.is_away |= *number != waiting && reader.needs(oldest);
        }
    }

    fn has_taken(&mut self, number: u64, piece: &Piece) {
        if let Some(reader) = self.readers.get_mut(&number) {
            reader.at = Some(piece.to);
        }
    }

    /// Forgets what was kept for others, if there are none.
    fn tidy(&mut self) {
        if self.readers.values().all(|reader| reader.is_away) {
            self.forget();
        }
    }

    /// Forgets what was read so long ago.
    fn forget_older(&mut self, than: Duration) {
        let Self { kept, bytes, .. } = self;
        kept.retain(|kept| {
            let is_fresh = kept.since.elapsed() < than;
            *bytes -= if is_fresh { 0 } else { kept.piece.bytes };
            is_fresh
        });
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }
}

impl Drop for EndOfRead<'_> {
    fn drop(&mut self) {
        let Self(reader) = self;
        reader.pieces.state().under_way.remove(&reader.number);
        reader.pieces.0.changed.send_replace(());
    }
}

impl Drop for SharedReader {
    fn drop(&mut self) {
        let mut state = self.pieces.state();
        state.readers.remove(&self.number);
        self.pieces.0.changed.send_replace(());
        state.tidy();
    }
}

#[cfg(test)]
#[path = "shared_pieces_tests.rs"]
mod tests;
