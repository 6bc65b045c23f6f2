//! The rows of some keys at a position of the log, folded from the events of the streams that made them.
//!
//! Each row of a projection that is partitioned by stream depends on one stream. So the row of a key that the events of a stream leave is the row, and
//! a key that a stream has ever written or deleted is that stream's: if its events up to a position leave no such row, there was none.

use std::{sync::Arc, time::Instant};

use sha2::{Digest as _, Sha256};

use super::{
    Past,
    asking::{Asking, Question},
    candidates::candidates,
    error::PastError,
    logic::{self, LoadedLogic, Logic},
};
use crate::{
    builds::BuildId,
    event_log::{EventLog, Filter, NameFilter, Position, StreamAt, StreamVersion},
    modules::{ModuleVersion, descriptors},
    read_model::{Identifier, Key, RecordSet, Row, Table, TableSet, encode_rows},
    runtime::{Descriptor, Partition},
};

/// Streams whose events are folded for one answer.
pub const MAX_KEYED_STREAMS: usize = 32;
/// Categories that a projection which names none may read.
const MAX_CATEGORIES: usize = 100;
/// Events of a stream after which it is looked whether it has made a row of a key; then after twice as many. Most do by their first ones.
const FIRST_LOOK: u64 = 64;

/// The rows of some keys at a position of the log.
#[derive(Debug)]
pub struct KeyedRows {
    /// The version of the projection that made them.
    pub version: ModuleVersion,
    /// They hold the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The rows that there are.
    pub rows: RecordSet,
    /// A digest of the rows, and of the code that made them.
    pub digest: [u8; 32],
}

/// What is known of the row of a key.
#[derive(Clone, Debug)]
enum Known {
    /// Nothing.
    Nothing,
    /// There is none.
    Absent,
    /// It is this one.
    Row(Row),
}

/// The keys that are asked for, and what is known of them.
struct Search {
    table: usize,
    keys: Vec<(Key, Known)>,
}

impl Past {
    /// The rows of some keys at a position that the log has, by the logic that a past build of the version has. `keys` says which are asked for, of
    /// which of the tables. `None` if streams do not tell: the version is not partitioned by stream, none of the streams that the keys name has made
    /// the row of one, or they cannot be folded in time: until the deadline, and within the time of an answer about the past. A past build tells then.
    ///
    /// # Errors
    /// Postgres fails, or others fold for too long.
    pub(crate) async fn rows_of_keys(
        &self,
        log: &EventLog,
        projection: &Identifier,
        version: Option<ModuleVersion>,
        position: Position,
        deadline: Instant,
        keys: impl FnOnce(&[Arc<Table>]) -> Option<(usize, Vec<Key>)>,
    ) -> Result<Option<KeyedRows>, PastError> {
        let Some(logic) = logic::of_past_build(&self.pool, projection, version).await? else { return Ok(None) };
        match self.fold_keys(log, &logic, position, deadline, keys).await {
            Err(error @ (PastError::Postgres(_) | PastError::Busy)) => Err(error),
            // It says why, if it cannot tell either.
            Err(_) => Ok(None),
            found => found,
        }
    }

    async fn fold_keys(
        &self,
        log: &EventLog,
        logic: &Logic,
        position: Position,
        deadline: Instant,
        keys: impl FnOnce(&[Arc<Table>]) -> Option<(usize, Vec<Key>)>,
    ) -> Result<Option<KeyedRows>, PastError> {
        let Logic { projection, version, .. } = logic;
        // Before anything is loaded: many questions are not of this kind.
        let described = [(projection.clone(), *version)];
        let found = descriptors(&mut *self.pool.acquire().await?, &described).await?.pop();
        let Some(Descriptor::Projection(descriptor)) = found else { return Ok(None) };
        let Ok(tables) = descriptor.check(projection) else { return Ok(None) };
        let is_partitioned = descriptor.partitioned_by == Some(Partition::Stream);
        let Some((table, keys)) = is_partitioned.then(|| keys(&tables)).flatten() else { return Ok(None) };

        let loaded = self.load(logic.clone()).await?;
        let code = loaded.lineage.0;
        let Some(streams) = streams(log, &loaded.filter, &keys, position).await? else { return Ok(None) };
        let mut folding = Folding { past: self, log, logic, loaded: Some(loaded), deadline };
        let mut search = Search { table, keys: keys.into_iter().map(|key| (key, Known::Nothing)).collect() };
        for at in &streams {
            if !search.is_done() && at.version > StreamVersion(0) {
                folding.find_rows(at, position, &mut search).await?;
            }
        }
        for at in &streams {
            if !search.is_done() {
                folding.find_whose(at, &mut search).await?;
            }
        }
        Ok(search.rows().map(|rows| {
            let rows = RecordSet::new(TableSet::new(BuildId(0).schema(), &tables), table, rows);
            let digest = Sha256::new_with_prefix(code).chain_update(encode_rows(&rows.writes())).finalize().into();
            KeyedRows { version: *version, position, rows, digest }
        }))
    }
}

/// The streams that the keys name, as they were at a position, in the order in which they are named. `None` if they are too many.
async fn streams(
    log: &EventLog,
    read: &Filter,
    keys: &[Key],
    position: Position,
) -> Result<Option<Vec<StreamAt>>, PastError> {
    let categories = match &read.categories {
        NameFilter::Only(categories) => categories.clone(),
        NameFilter::All => log.categories_of(&read.types, MAX_CATEGORIES + 1).await?,
    };
    let names = Some(categories).filter(|categories| categories.len() <= MAX_CATEGORIES);
    let names = names.and_then(|categories| candidates(keys, &categories, &read.categories));
    let Some(names) = names else { return Ok(None) };
    let mut streams = log.versions_at(&names, position).await?;
    streams.sort_by_key(|at| names.iter().position(|name| *name == at.stream));
    Ok(Some(streams).filter(|streams| streams.len() <= MAX_KEYED_STREAMS))
}

/// What folds the streams.
struct Folding<'f> {
    past: &'f Past,
    log: &'f EventLog,
    logic: &'f Logic,
    /// For the first of them.
    loaded: Option<LoadedLogic>,
    deadline: Instant,
}

impl<'f> Folding<'f> {
    async fn begin(&mut self, at: &'f StreamAt) -> Result<Asking<'f>, PastError> {
        let &mut Self { past, log, logic, deadline, .. } = self;
        // Folding a short stream looks at no clock.
        if Instant::now() >= deadline {
            return Err(PastError::TimedOut { stream: at.stream.clone(), reached: StreamVersion(0) });
        }
        let loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => past.load(logic.clone()).await?,
        };
        let (stream, projection, version) = (&at.stream, &logic.projection, Some(logic.version));
        let mut asking = past.begin(Question { log, stream, projection, version }, loaded, at.newest).await?;
        asking.end_by(deadline);
        Ok(asking)
    }

    /// Looks for rows among those that the events of a stream up to a position leave.
    async fn find_rows(&mut self, at: &'f StreamAt, position: Position, search: &mut Search) -> Result<(), PastError> {
        let mut asking = self.begin(at).await?;
        asking.fold_from_snapshot(at.version).await?;
        if let Some(stopped) = asking.fold()?.error_of_stop() {
            return Err(stopped);
        }
        if asking.reading.last().is_some_and(|last| last.position > position) {
            return Err(PastError::Restored(at.stream.clone()));
        }
        search.look(&mut asking, |row| row.map_or(Known::Absent, |row| Known::Row(row.clone())))
    }

    /// Looks whether a stream has ever made a row of a key: then it is the one to ask, and left none at the position. Snapshots do not say which rows
    /// there were before.
    async fn find_whose(&mut self, at: &'f StreamAt, search: &mut Search) -> Result<(), PastError> {
        let mut asking = self.begin(at).await?;
        let mut to = StreamVersion(FIRST_LOOK);
        while !search.is_done() && asking.reading.version() < at.newest {
            asking.fold_on(to.min(at.newest)).await?;
            search.look(&mut asking, |_| Known::Absent)?;
            to = StreamVersion(to.0.saturating_mul(2));
        }
        Ok(())
    }
}

impl Search {
    fn is_done(&self) -> bool {
        self.keys.iter().all(|(_, known)| !matches!(known, Known::Nothing))
    }

    /// Looks for the keys of which nothing is known among the rows of a stream. `known` says what a row, or its deletion, means.
    fn look(&mut self, asking: &mut Asking<'_>, known: impl Fn(Option<&Row>) -> Known) -> Result<(), PastError> {
        let rows = &asking.fold()?.rows().tables()[self.table];
        for (key, found) in self.keys.iter_mut().filter(|(_, found)| matches!(found, Known::Nothing)) {
            if let Some(row) = rows.get(key) {
                *found = known(row);
            }
        }
        Ok(())
    }

    /// The rows that there are; `None` if that is not known of some key.
    fn rows(self) -> Option<Vec<Row>> {
        if !self.is_done() {
            return None;
        }
        let rows = self.keys.into_iter().filter_map(|(_, known)| match known {
            Known::Row(row) => Some(row),
            Known::Absent | Known::Nothing => None,
        });
        Some(rows.collect())
    }
}
