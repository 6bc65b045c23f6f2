//! A page as it is read.

use futures_util::{Stream, TryStreamExt};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    body::{AnswerBody, BodyWriter},
    contents::Contents,
    error::ReadError,
    request::ReadRequest,
};
use crate::event_log::Position;

/// A page as it was read.
pub(super) struct Page {
    pub(super) checkpoint: Position,
    pub(super) contents: Contents,
    pub(super) body: AnswerBody,
    pub(super) rows: u64,
    /// Never negative.
    pub(super) total: Option<i64>,
    /// What the cursor of the next page is made of.
    pub(super) next_values: Option<String>,
    /// Whether it may be another one from the same contents later.
    pub(super) may_change: bool,
}

/// The columns that [`read_rows`] reads.
pub(super) const ROWS: &str = "checkpoint, contents, total_rows, bytes, shown";
/// The same, where the last row of a full page has what its cursor is made of.
pub(super) const ROWS_AND_NEXT: &str = "checkpoint, contents, total_rows, bytes, shown, next_values";
/// The last column of these.
const NEXT_VALUES: usize = 5;
/// The columns that [`read_count`] reads.
pub(super) const COUNT: &str = "checkpoint, contents, total_rows, page_rows";

/// The number of the first parameter behind those that every statement of these columns has.
pub(super) const FIRST_PARAMETER: usize = 3;

/// Reads the rows of a page, after a line that stands before them. Returns `None` if there is not even a checkpoint.
pub(super) async fn read_rows(
    mut rows: impl Stream<Item = Result<PgRow, sqlx::Error>> + Unpin,
    request: ReadRequest<'_>,
    head: Option<String>,
) -> Result<Option<Page>, ReadError> {
    let ReadRequest { shape, limits, .. } = request;
    let (mut body, mut count, mut found) = (BodyWriter::new(&limits.budget), 0, None);
    let mut next_values = None;
    if let Some(head) = head {
        body.write(&head).await?;
    }
    while let Some(row) = rows.try_next().await? {
        if found.is_none() {
            found = Some(state(&row)?);
        }
        // The one row of a page without rows.
        let Some(bytes) = row.try_get::<Option<i32>, _>(3)? else { continue };
        let bytes = usize::try_from(bytes).unwrap_or_default();
        let too_large = ReadError::TooLarge { max: limits.max_bytes, rows: count };
        let before = shape.before(count);
        let Some(shown) = row.try_get::<Option<&str>, _>(4)? else { return Err(too_large) };
        if body.bytes() + before.len() + bytes + shape.after(1).len() > limits.max_bytes {
            return Err(too_large);
        }
        body.write(before).await?;
        body.write(shown).await?;
        if row.len() > NEXT_VALUES {
            next_values = row.try_get::<Option<String>, _>(NEXT_VALUES)?;
        }
        count += 1;
    }
    let Some((checkpoint, contents, total)) = found else { return Ok(None) };
    body.write(shape.after(count)).await?;
    Ok(Some(Page { checkpoint, contents, body: body.finish(), rows: count, total, next_values, may_change: false }))
}

/// Reads how many rows a page has, which is not shown.
pub(super) fn read_count(row: &PgRow) -> Result<Page, sqlx::Error> {
    let (checkpoint, contents, total) = state(row)?;
    let rows = row.try_get::<i64, _>(3)?.cast_unsigned();
    Ok(Page { checkpoint, contents, body: AnswerBody::default(), rows, total, next_values: None, may_change: false })
}

/// What each row has of the build and of all rows that match.
fn state(row: &PgRow) -> Result<(Position, Contents, Option<i64>), sqlx::Error> {
    Ok((row.try_get(0)?, Contents(row.try_get::<Uuid, _>(1)?), row.try_get(2)?))
}
