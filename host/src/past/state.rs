//! The state of a stream: the rows that its events have left, after one of them.

use std::sync::Arc;

use gnomon_values::Instant;
use serde_json::value::RawValue;

use super::{Past, asking::Question, error::PastError, told::Told};
use crate::{
    event_log::{EventLog, Position, StreamName, StreamVersion},
    modules::ModuleVersion,
    read_model::{Identifier, Row, WriteSet, shown_row},
};

/// When a state is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// After the newest event.
    #[default]
    Newest,
    /// After the event of this version; 0 is before the first.
    Version(StreamVersion),
    /// After the newest event that was recorded at this instant or before.
    Time(Instant),
}

/// The state of a stream.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// Of what it is made.
    pub told: Told,
    /// The version of the last event that has its effect in the rows; 0 for none.
    pub version: StreamVersion,
    /// Position of that event, and when it was recorded; `None` if there is none.
    pub event: Option<(Position, Instant)>,
    /// Events up to there that do not count, since they are set aside.
    pub left_out: u64,
    /// The rows of each table.
    pub tables: Vec<TableRows>,
    /// The bytes of all rows.
    pub bytes: usize,
}

/// The rows of a stream in one table.
#[derive(Clone, Debug)]
pub struct TableRows {
    /// The table.
    pub table: Identifier,
    /// The rows, by key.
    pub rows: Vec<Box<RawValue>>,
}

impl Past {
    /// The state of a stream, as a version of a projection tells it. Its rows have at most `max_bytes` bytes as JSON.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn state(
        &self,
        log: &EventLog,
        stream: &StreamName,
        projection: &Identifier,
        version: Option<ModuleVersion>,
        at: At,
        max_bytes: usize,
    ) -> Result<StreamState, PastError> {
        if let At::Time(instant) = at
            && !log.has_passed(instant).await?
        {
            return Err(PastError::NotPassed(instant));
        }
        let mut asking = self.ask(Question { log, stream, projection, version }).await?;
        let newest = asking.newest;
        let at = match at {
            At::Newest => newest,
            At::Version(asked) if asked > newest => {
                return Err(PastError::Beyond { stream: stream.clone(), asked, newest });
            }
            At::Version(asked) => asked,
            // Nothing is recorded before `newest` any more.
            At::Time(instant) => log.stream_version_at(stream, instant).await?.min(newest),
        };
        asking.fold_from_snapshot(at).await?;
        if let Some(stopped) = asking.fold()?.error_of_stop() {
            return Err(stopped);
        }
        let left_out = asking.fold()?.left_out;
        let shown = asking.work(move |fold| shown_tables(fold.rows(), max_bytes)).await?;
        let (tables, bytes) = shown.map_err(|bytes| match bytes {
            Ok(bytes) => PastError::AnswerTooLarge { stream: stream.clone(), bytes, max: max_bytes },
            Err(error) => PastError::Host(error.to_string()),
        })?;
        let event = asking.reading.last().map(|last| (last.position, last.recorded_at));
        Ok(StreamState { told: asking.told(), version: at, event, left_out, tables, bytes })
    }
}

/// The rows by table and key, and their bytes. The error is how many bytes they take at least, if they are too many.
fn shown_tables(
    rows: &WriteSet,
    max_bytes: usize,
) -> Result<(Vec<TableRows>, usize), Result<usize, serde_json::Error>> {
    let (mut tables, mut bytes) = (Vec::new(), 0);
    for writes in rows.tables() {
        let table = Arc::clone(writes.table());
        let mut written: Vec<&Row> = writes.written().collect();
        written.sort_by_cached_key(|row| table.key_of(row));
        let mut shown = Vec::with_capacity(written.len());
        for row in written {
            let row = shown_row(&table, row).map_err(Err)?;
            bytes += row.get().len() + 1;
            if bytes > max_bytes {
                return Err(Ok(bytes));
            }
            shown.push(row);
        }
        tables.push(TableRows { table: table.name().clone(), rows: shown });
    }
    Ok((tables, bytes))
}
