//! Checking the rows and snapshots of a stream against its events: all of them are folded again, from the first.

use std::{collections::HashMap, sync::Arc};

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::{Executor as _, Postgres, Transaction};

use super::{
    Past,
    asking::{Asking, Question},
    error::PastError,
    reading::EventStamp,
    set_aside::SetAside,
    snapshots::{StoredSnapshot, of_stream, remove},
    told::Told,
};
use crate::{
    builds::{Build, State},
    event_log::{EventLog, Position, RecordedEvent, StreamName, StreamVersion},
    modules::ModuleVersion,
    postgres::{ANSWER_TIMEOUT, begin, is_missing_table, within},
    read_model::{HashedKey, Identifier, Key, LookupError, Row, Table, TableSet, WriteSet, encode_rows, shown_row},
};

/// Differences that are shown.
const MAX_SHOWN: usize = 20;
/// Rows of the build that are read at once, …
const ROWS: usize = 500;
/// … and their bytes.
const ROW_BYTES: usize = 32 << 20;

/// The result of checking a stream.
#[derive(Clone, Debug)]
pub struct StreamVerification {
    /// Of what it is made; all events were read.
    pub told: Told,
    /// Snapshots that were compared.
    pub snapshots: u64,
    /// The versions of those that were wrong, and are removed.
    pub wrong_snapshots: Vec<StreamVersion>,
    /// What was compared of the build; `None` if its version has none with tables.
    pub rows: Option<ComparedRows>,
}

/// The rows of a stream in a build, compared.
#[derive(Clone, Debug, Default)]
pub struct ComparedRows {
    /// The position up to which the rows have the effect of every event.
    pub checkpoint: Position,
    /// How many there are.
    pub compared: u64,
    /// How many differ.
    pub different: u64,
    /// The first of those.
    pub differences: Vec<RowDifference>,
}

/// A row that is not what the events give.
#[derive(Clone, Debug)]
pub struct RowDifference {
    /// The table.
    pub table: Identifier,
    /// The row that the events give; `None` if they give none.
    pub expected: Option<Box<RawValue>>,
    /// The row that the build has; `None` if it has none.
    pub found: Option<Box<RawValue>>,
}

/// What is compared, on the way through the events.
struct Checks {
    snapshots: HashMap<StreamVersion, StoredSnapshot>,
    compared: u64,
    wrong: Vec<StoredSnapshot>,
    /// The build and its rows, until its checkpoint is reached.
    build: Option<BuildRows>,
    rows: Option<ComparedRows>,
}

/// The rows of a build, at one instant.
struct BuildRows {
    transaction: Transaction<'static, Postgres>,
    tables: TableSet,
    checkpoint: Position,
}

impl Past {
    /// Folds all events of a stream, and compares what they give with the snapshots of the stream and with the rows that the build has of it.
    /// Snapshots that are wrong are removed. Rows that only the build has are not found: a row does not say of which stream it is.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn verify(
        &self,
        log: &EventLog,
        stream: &StreamName,
        projection: &Identifier,
        version: Option<ModuleVersion>,
    ) -> Result<StreamVerification, PastError> {
        let mut asking = self.ask(Question { log, stream, projection, version }).await?;
        let build = asking.logic.build.clone().filter(|build| build.state != State::Retired);
        let build = match build {
            Some(build) => Some(self.rows_of(&build, &mut asking).await?),
            None => None,
        };
        self.check(&mut asking, build).await
    }

    /// The same without the rows of the build.
    pub(super) async fn verify_snapshots_of(&self, question: Question<'_>) -> Result<StreamVerification, PastError> {
        let mut asking = self.ask(question).await?;
        self.check(&mut asking, None).await
    }

    async fn check(&self, asking: &mut Asking<'_>, build: Option<BuildRows>) -> Result<StreamVerification, PastError> {
        let Question { stream, .. } = asking.question;
        let stored = of_stream(&self.pool, asking.lineage, stream).await?;
        let snapshots = stored.into_iter().map(|snapshot| (snapshot.stamp.version, snapshot)).collect();
        let mut checks = Checks { snapshots, compared: 0, wrong: Vec::new(), build, rows: None };
        while asking.reading.version() < asking.newest {
            let events = asking.next_events(asking.newest).await?;
            for some in checks.pieces(events) {
                let next = some.first().map(|event| event.position);
                if next.is_some_and(|next| checks.build.as_ref().is_some_and(|build| build.checkpoint < next)) {
                    checks.compare_rows(asking).await?;
                }
                let stamp = some.last().map(EventStamp::of);
                asking.fold_events(some).await?;
                if let Some(snapshot) = stamp.and_then(|stamp| checks.snapshots.remove(&stamp.version)) {
                    let expected = asking.work(|fold| fold.is_whole().then(|| encode_rows(fold.rows()))).await?;
                    // Where events are set aside, the rows of this build are none of a snapshot.
                    let is_what_was_folded =
                        expected.is_none_or(|rows| Sha256::digest(&rows)[..] == snapshot.digest[..]);
                    let is_right = snapshot.is_intact && Some(snapshot.stamp) == stamp && is_what_was_folded;
                    checks.compared += 1;
                    checks.wrong.extend((!is_right).then_some(snapshot));
                }
            }
        }
        checks.compare_rows(asking).await?;
        // Those beyond the stream's end are of another log.
        let Checks { snapshots: beyond, compared, mut wrong, rows, .. } = checks;
        let compared = compared + beyond.len() as u64;
        wrong.extend(beyond.into_values());
        remove(&self.pool, asking.lineage, stream, &wrong).await?;
        let mut wrong_snapshots: Vec<StreamVersion> = wrong.iter().map(|snapshot| snapshot.stamp.version).collect();
        wrong_snapshots.sort_unstable();
        Ok(StreamVerification { told: asking.told(), snapshots: compared, wrong_snapshots, rows })
    }

    /// The rows of a build at one instant, and what it has set aside then.
    async fn rows_of(&self, build: &Build, asking: &mut Asking<'_>) -> Result<BuildRows, PastError> {
        let tables = TableSet::new(build.id.schema(), asking.fold()?.module().tables());
        if let Some(missing) = tables.missing(&self.pool).await? {
            return Err(PastError::NoTables(format!("the table {missing} is missing; rebuild the projection")));
        }
        let mut transaction = begin(&self.pool).await?;
        let set = transaction.execute(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '60s'",
        );
        within(ANSWER_TIMEOUT, "a snapshot of a build", set).await?;
        let set_aside = SetAside::look_up_in(&mut *transaction, build, asking.question.stream);
        let set_aside = within(ANSWER_TIMEOUT, "the dead letters of a stream", set_aside).await?;
        let checkpoint = set_aside.checkpoint;
        asking.fold()?.set_aside_as(set_aside);
        Ok(BuildRows { transaction, tables, checkpoint })
    }
}

impl Checks {
    /// The events, cut where something is compared.
    fn pieces(&self, events: Vec<RecordedEvent>) -> Vec<Vec<RecordedEvent>> {
        let (mut pieces, mut some) = (Vec::new(), Vec::new());
        for event in events {
            let is_behind = |position: Position| self.build.as_ref().is_some_and(|build| build.checkpoint < position);
            let is_first_behind = is_behind(event.position)
                && some.last().is_some_and(|before: &RecordedEvent| !is_behind(before.position));
            if is_first_behind {
                pieces.push(std::mem::take(&mut some));
            }
            let ends = self.snapshots.contains_key(&event.version);
            some.push(event);
            if ends {
                pieces.push(std::mem::take(&mut some));
            }
        }
        pieces.push(some);
        pieces.retain(|some| !some.is_empty());
        pieces
    }

    /// Compares the rows of the build with those that the events up to its checkpoint have left, if that is still to be done.
    async fn compare_rows(&mut self, asking: &mut Asking<'_>) -> Result<(), PastError> {
        let Some(BuildRows { mut transaction, tables, checkpoint }) = self.build.take() else { return Ok(()) };
        let mut compared = ComparedRows { checkpoint, ..ComparedRows::default() };
        // A build that has stopped has nothing of the event at which this stopped.
        if asking.fold()?.stopped.is_none() {
            let rows = asking.work(|fold| fold.rows().clone()).await?;
            let of_tables: Vec<Arc<Table>> = rows.tables().iter().map(|writes| Arc::clone(writes.table())).collect();
            for (table, keys) in of_tables.iter().zip(keys_of(&rows)) {
                for keys in keys.chunks(ROWS) {
                    let found = tables.get_many(&mut transaction, table, keys, ROW_BYTES);
                    let found = within(ANSWER_TIMEOUT, "rows of a build", found).await;
                    let found = found.map_err(|error| match error {
                        LookupError::Postgres(error) if is_missing_table(&error) => {
                            PastError::NoTables("the build is being retired".to_owned())
                        }
                        LookupError::Postgres(error) => PastError::Postgres(error),
                        error => PastError::NoTables(error.to_string()),
                    })?;
                    compared.add(&rows, table, keys, found)?;
                }
            }
        }
        within(ANSWER_TIMEOUT, "the end of a snapshot", transaction.rollback()).await?;
        self.rows = Some(compared);
        Ok(())
    }
}

/// The keys of all rows of each table that are written or deleted, in order.
fn keys_of(rows: &WriteSet) -> impl Iterator<Item = Vec<Key>> {
    rows.tables().iter().map(|writes| {
        let written = writes.written().map(|row| writes.table().key_of(row));
        let mut keys: Vec<Key> = written.chain(writes.deleted().cloned()).collect();
        keys.sort_unstable();
        keys
    })
}

impl ComparedRows {
    fn add(
        &mut self,
        rows: &WriteSet,
        table: &Arc<Table>,
        keys: &[Key],
        found: Vec<Option<Row>>,
    ) -> Result<(), PastError> {
        let index = rows.table_index(table.name().as_str()).unwrap_or_default();
        for (key, found) in keys.iter().zip(found) {
            let expected = rows.tables()[index].get_hashed(&HashedKey::new(key.clone())).flatten();
            self.compared += 1;
            if expected == found.as_ref() {
                continue;
            }
            self.different += 1;
            if self.differences.len() < MAX_SHOWN {
                let show = |row: Option<&Row>| row.map(|row| shown_row(table, row)).transpose();
                let shown = show(expected).and_then(|expected| Ok((expected, show(found.as_ref())?)));
                let (expected, found) = shown.map_err(|error| PastError::Host(error.to_string()))?;
                self.differences.push(RowDifference { table: table.name().clone(), expected, found });
            }
        }
        Ok(())
    }
}
