//! What is noted of rows that were found: how many there are, the sum of their numbers, and their keys.

use gnomon_sdk::TextEnum;

use crate::{Everything, KeyTypes, Pair, Shapes};

/// Of rows of `everything`.
#[must_use]
pub fn everything(rows: Vec<Everything>) -> (i64, i64, String) {
    summed(rows.iter().map(|row| (row.number, row.id.to_string())))
}

/// Of pairs.
#[must_use]
pub fn pairs(rows: Vec<Pair>) -> (i64, i64, String) {
    summed(rows.iter().map(|row| (row.number, format!("{:?} {}", row.left, row.right))))
}

/// Of rows of `shapes`.
#[must_use]
pub fn shapes(rows: Vec<Shapes>) -> (i64, i64, String) {
    summed(rows.iter().map(|row| (row.number, row.id.to_string())))
}

/// Of rows of `key_types`.
#[must_use]
pub fn key_types(rows: Vec<KeyTypes>) -> (i64, i64, String) {
    summed(rows.iter().map(|row| {
        let KeyTypes { instant, day, amount, mark, flag, uuid, state, local, time, number } = row;
        (*number, format!("{instant} {day} {amount} {mark:?} {flag} {uuid} {} {local} {time}", state.as_text()))
    }))
}

/// Of many rows only the first and last keys are kept.
fn summed(rows: impl Iterator<Item = (i64, String)>) -> (i64, i64, String) {
    let mut rows: Vec<(i64, String)> = rows.collect();
    let (count, sum) = (rows.len(), rows.iter().fold(0_i64, |sum, (number, _)| sum.wrapping_add(*number)));
    if count > 20 {
        rows.drain(10..count - 10);
    }
    let keys: Vec<String> = rows.into_iter().map(|(_, key)| key).collect();
    (i64::try_from(count).unwrap_or(i64::MAX), sum, keys.join("; "))
}
