//! Reads samples of rows that differ.

use futures_util::TryStreamExt as _;
use serde_json::value::RawValue;
use sqlx::PgConnection;

use super::{
    difference::ChangedRow,
    pair::{Pair, row_as_json},
};
use crate::read_model::identifier::Identifier;

/// Bytes of JSON of all samples of one comparison: a single row may have a megabyte.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How many samples may still be read.
pub(super) struct Budget {
    /// Rows of each kind, for each table.
    rows: usize,
    /// Bytes that are left for all samples.
    bytes: usize,
}

impl Budget {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, bytes: MAX_BYTES }
    }

    /// The first of the rows that are only on the right.
    pub(super) async fn added(
        &mut self,
        connection: &mut PgConnection,
        pair: &Pair<'_>,
        count: u64,
    ) -> Result<Vec<Box<RawValue>>, sqlx::Error> {
        self.alone(connection, pair, ("Right", &pair.right_source()), &pair.left_source(), count).await
    }

    /// The first of the rows that are only on the left.
    pub(super) async fn removed(
        &mut self,
        connection: &mut PgConnection,
        pair: &Pair<'_>,
        count: u64,
    ) -> Result<Vec<Box<RawValue>>, sqlx::Error> {
        self.alone(connection, pair, ("Left", &pair.left_source()), &pair.right_source(), count).await
    }

    async fn alone(
        &mut self,
        connection: &mut PgConnection,
        pair: &Pair<'_>,
        (side, source): (&str, &str),
        other: &str,
        count: u64,
    ) -> Result<Vec<Box<RawValue>>, sqlx::Error> {
        let Some(limit) = self.limit(count) else { return Ok(Vec::new()) };
        let table = if side == "Left" { pair.left.1 } else { pair.right.1 };
        // Only the rows within the limit are converted to JSON, after they are sorted.
        let statement = format!(
            "SELECT {} FROM (
                 SELECT \"{side}\" AS one FROM {source} WHERE NOT EXISTS (SELECT FROM {other} WHERE {})
                 ORDER BY {} LIMIT {limit}
             ) AS found",
            row_as_json("one", table),
            pair.same_key(),
            pair.key_order(side)
        );
        // Safe: made of checked identifiers and a number.
        let mut rows = sqlx::query_scalar::<_, String>(&statement).persistent(false).fetch(connection);
        let mut samples = Vec::new();
        while let Some(row) = rows.try_next().await? {
            if !self.takes(row.len()) {
                break;
            }
            samples.push(json(row)?);
        }
        Ok(samples)
    }

    /// The first of the rows on both sides that differ.
    pub(super) async fn changed(
        &mut self,
        connection: &mut PgConnection,
        pair: &Pair<'_>,
        count: u64,
    ) -> Result<Vec<ChangedRow>, sqlx::Error> {
        let Some(limit) = self.limit(count) else { return Ok(Vec::new()) };
        let names = pair.common.iter().zip(pair.differences()).map(|(column, difference)| {
            // A checked name needs no escape between quotes.
            format!("CASE WHEN {difference} THEN '{}' END", column.name)
        });
        let statement = format!(
            "SELECT {}, {}, columns FROM (
                 SELECT \"Left\" AS before, \"Right\" AS after, array_remove(ARRAY[{}]::text[], NULL) AS columns
                 FROM {} JOIN {} ON {} WHERE {} ORDER BY {} LIMIT {limit}
             ) AS found",
            row_as_json("before", pair.left.1),
            row_as_json("after", pair.right.1),
            names.collect::<Vec<_>>().join(", "),
            pair.left_source(),
            pair.right_source(),
            pair.same_key(),
            pair.differences().collect::<Vec<_>>().join(" OR "),
            pair.key_order("Left")
        );
        // Safe: made of checked identifiers and a number.
        let statement = sqlx::query_as::<_, (String, String, Vec<String>)>(&statement).persistent(false);
        let mut rows = statement.fetch(connection);
        let mut samples = Vec::new();
        while let Some((before, after, columns)) = rows.try_next().await? {
            if !self.takes(before.len() + after.len()) {
                break;
            }
            let columns = columns.into_iter().map(Identifier::new).collect::<Result<_, _>>();
            let columns = columns.map_err(|error| sqlx::Error::Decode(error.into()))?;
            samples.push(ChangedRow { columns, before: json(before)?, after: json(after)? });
        }
        Ok(samples)
    }

    /// How many of `count` rows to read; `None` if there is nothing to read.
    fn limit(&self, count: u64) -> Option<u64> {
        let limit = count.min(self.rows as u64);
        (limit > 0 && self.bytes > 0).then_some(limit)
    }

    /// Takes a sample of this size out of the budget. The first that does not fit ends the samples.
    fn takes(&mut self, bytes: usize) -> bool {
        let taken = self.bytes >= bytes;
        self.bytes = if taken { self.bytes - bytes } else { 0 };
        taken
    }
}

fn json(text: String) -> Result<Box<RawValue>, sqlx::Error> {
    RawValue::from_string(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
