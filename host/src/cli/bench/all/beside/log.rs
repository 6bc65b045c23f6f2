//! Reading the whole log, as fast as Postgres sends it: one binary COPY.

use anyhow::Context;
use futures_util::TryStreamExt;
use sqlx::PgConnection;

/// The signature, the flags and the length of the extension, which is empty: <https://www.postgresql.org/docs/current/sql-copy.html>.
const HEADER: usize = 11 + 4 + 4;
/// Bytes that are received before rows are read from them.
const PIECE: usize = 256 * 1024;

/// Reads some columns of all events, in the order of their positions; returns how many events there are.
pub(super) async fn read_log<const FIELDS: usize>(
    session: &mut PgConnection,
    columns: [&str; FIELDS],
    mut on_event: impl FnMut([&[u8]; FIELDS]) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let columns = columns.join(", ");
    let events = format!("COPY (SELECT {columns} FROM gnomon.events ORDER BY position) TO STDOUT (FORMAT binary)");
    let mut pieces = session.copy_out_raw(&events).await?;
    let (mut events, mut received, mut has_header) = (0, Vec::with_capacity(2 * PIECE), false);
    loop {
        let piece = pieces.try_next().await?;
        let is_last = piece.is_none();
        received.extend_from_slice(&piece.unwrap_or_default());
        if received.len() < PIECE && !is_last {
            continue;
        }
        let mut rest = received.as_slice();
        if !has_header {
            rest = rest.get(HEADER..).context("Postgres sent a COPY without a header")?;
            has_header = true;
        }
        while let Some((fields, after)) = row(rest) {
            on_event(fields)?;
            events += 1;
            rest = after;
        }
        if is_last {
            return Ok(events);
        }
        let read = received.len() - rest.len();
        received.drain(..read);
    }
}

/// The next row, and what comes after it; `None` at the end, or if not all of it is there.
fn row<const FIELDS: usize>(bytes: &[u8]) -> Option<([&[u8]; FIELDS], &[u8])> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    if i16::from_be_bytes(*count) < 0 {
        return None;
    }
    let mut fields = [&[][..]; FIELDS];
    for field in &mut fields {
        let (length, after) = rest.split_first_chunk()?;
        (*field, rest) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    }
    Some((fields, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::BinaryCopy;

    #[test]
    fn rows_are_read_however_they_are_cut() {
        let texts = [["AccountOpened", "account-7", "{}"], ["MoneyDeposited", "account-7", r#"{"amount":700}"#]];
        let mut copy = BinaryCopy::with_capacity(0);
        for fields in texts {
            copy.row(3);
            fields.iter().for_each(|text| copy.bytes(text.as_bytes()));
        }
        let bytes = copy.finish();
        let (mut rest, mut found) = (&bytes[HEADER..], Vec::new());
        while let Some((fields, after)) = row::<3>(rest) {
            for cut in 0..rest.len() - after.len() {
                assert!(row::<3>(&rest[..cut]).is_none(), "{cut}");
            }
            found.push(fields.map(|field| str::from_utf8(field).unwrap()));
            rest = after;
        }
        assert_eq!(found, texts);
        assert_eq!(rest, (-1_i16).to_be_bytes());
    }
}
