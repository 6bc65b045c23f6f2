//! What an event can tell the projection to do.

use gnomon_sdk::{Column, Find, prelude::*, schema::Value};
use serde::{Deserialize, Serialize};

use crate::{
    Doing, Everything, Found, KeyTypes, Pair, Shapes,
    summary::{everything, key_types, pairs, shapes},
    tables::longer,
};

/// One thing to do.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Operation {
    /// Puts a row, its text made longer by so many bytes, and its list by a text of so many.
    PutEverything(Box<Everything>, usize, usize),
    /// Puts a row, its key made longer by so many bytes.
    PutPair(Pair, usize),
    /// Puts a row, its mark made longer by so many bytes.
    PutKeyTypes(Box<KeyTypes>, usize),
    /// Puts a row, its title made longer by so many bytes, and its texts by one of so many.
    PutShapes(Box<Shapes>, usize, usize),
    /// Adds to the number of a row, if there is one.
    Add(KeyOf, i64),
    /// Adds to the number of a pair, and makes it if there is none.
    AddPair(String, i64, i64),
    /// Deletes a row.
    Delete(KeyOf),
    /// Gets a pair, and puts what it has under another key.
    CopyPair([(String, i64); 2]),
    /// Puts pairs whose keys count from 0 on, with this text on the left and as their note.
    Fill(String, i64),
    /// Searches, and notes what was found.
    Find(Search),
    /// Changes a row's key in place, which is a failure.
    ChangeKey(i64),
    /// Cannot be done.
    Fail(String),
    /// Writes a line to the log.
    Log(String),
}

/// The key of a row.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum KeyOf {
    /// Of `everything`.
    Everything(i64),
    /// Of `pairs`; the text made longer by so many bytes.
    Pair(String, i64, usize),
    /// Of `key_types`: that of this row.
    KeyTypes(Box<KeyTypes>),
    /// Of `shapes`.
    Shapes(i64),
}

/// A search by an index, or by the first columns of one.
#[derive(Serialize, Deserialize, Clone, Debug)]
#[allow(missing_docs, reason = "the names are those of the indexes")]
pub enum Search {
    Text(String),
    Mix(bool, Option<i64>, Option<Date>),
    Float(u64, Option<Decimal>),
    Bytes(Vec<u8>, Option<String>),
    Right(i64, Option<String>),
    Note(String),
    Day(Date, Option<i64>),
    Amount(Decimal, Option<(bool, Timestamp)>),
    Local(LocalTimestamp, Option<TimeOfDay>),
}

impl Operation {
    pub(crate) fn run(&self, event: &Event<Doing>, number: i64, rows: &mut Rows) -> Result<(), Failure> {
        match self {
            Self::PutEverything(row, text, list) => rows.put(row.longer(*text, *list)),
            Self::PutPair(row, more) => rows.put(row.longer(*more)),
            Self::PutKeyTypes(row, more) => rows.put(row.longer(*more)),
            Self::PutShapes(row, title, text) => rows.put(row.longer(*title, *text)),
            Self::Add(KeyOf::Shapes(id), by) => add(rows.get_mut::<Shapes>(*id).map(|row| &mut row.number), *by),
            Self::Add(KeyOf::Everything(id), by) => {
                add(rows.get_mut::<Everything>(*id).map(|row| &mut row.number), *by)
            }
            Self::Add(KeyOf::Pair(left, right, more), by) => {
                add(rows.get_mut::<Pair>((&longer(left, *more), *right)).map(|row| &mut row.number), *by);
            }
            Self::Add(KeyOf::KeyTypes(row), by) => {
                add(rows.get_mut::<KeyTypes>(row.key()).map(|row| &mut row.number), *by);
            }
            Self::AddPair(left, right, by) => {
                let new = || Pair { left: left.clone(), right: *right, number: 0, note: None };
                add(Some(&mut rows.get_or_insert_with((left.as_str(), *right), new).number), *by);
            }
            Self::Delete(KeyOf::Everything(id)) => rows.delete::<Everything>(*id),
            Self::Delete(KeyOf::Pair(left, right, more)) => rows.delete::<Pair>((&longer(left, *more), *right)),
            Self::Delete(KeyOf::KeyTypes(row)) => rows.delete::<KeyTypes>(row.key()),
            Self::Delete(KeyOf::Shapes(id)) => rows.delete::<Shapes>(*id),
            Self::CopyPair([(left, right), (other_left, other_right)]) => {
                if let Some(row) = rows.get::<Pair>((left, *right)).cloned() {
                    rows.put(Pair { left: other_left.clone(), right: *other_right, ..row });
                }
            }
            Self::Fill(left, count) => (0..*count).for_each(|right| {
                rows.put(Pair { left: left.clone(), right, number: right, note: Some(left.clone()) });
            }),
            Self::Find(search) => {
                let operation = number;
                let (found, sum, keys) = search.run(rows);
                let (position, tags) = (event.position.cast_signed(), event.tags().to_vec());
                rows.put(Found { position, operation, rows: found, sum, keys, tags });
            }
            Self::ChangeKey(id) => {
                if let Some(row) = rows.get_mut::<Everything>(*id) {
                    row.id = row.id.wrapping_add(1);
                }
            }
            Self::Fail(message) => fail!("{message}"),
            Self::Log(line) => log::debug!("{line}"),
        }
        Ok(())
    }

    pub(crate) fn prefetch(&self, prefetch: &mut Prefetch) {
        match self {
            Self::Add(KeyOf::Everything(id), _) => prefetch.want::<Everything>(*id),
            Self::Add(KeyOf::Pair(left, right, more), _) => prefetch.want::<Pair>((&longer(left, *more), *right)),
            Self::Add(KeyOf::KeyTypes(row), _) => prefetch.want::<KeyTypes>(row.key()),
            Self::Add(KeyOf::Shapes(id), _) => prefetch.want::<Shapes>(*id),
            Self::AddPair(left, right, _) | Self::CopyPair([(left, right), _]) => prefetch.want::<Pair>((left, *right)),
            _ => {}
        }
    }
}

fn add(number: Option<&mut i64>, by: i64) {
    if let Some(number) = number {
        *number = number.wrapping_add(by);
    }
}

impl Search {
    /// How many rows there are, the sum of their numbers, and their keys.
    fn run(&self, rows: &mut Rows) -> (i64, i64, String) {
        match self {
            Self::Text(text) => everything(rows.find(Everything::by_text(text))),
            Self::Mix(flag, Some(number), Some(day)) => everything(rows.find(Everything::by_mix(*flag, *number, *day))),
            Self::Mix(flag, Some(number), None) => {
                everything(rows.find(Find::new("by_mix", [Ok(Value::Bool(*flag)), Ok(Value::I64(*number))])))
            }
            Self::Mix(flag, None, _) => everything(rows.find(Find::new("by_mix", [Ok(Value::Bool(*flag))]))),
            Self::Float(bits, Some(decimal)) => {
                everything(rows.find(Everything::by_float(f64::from_bits(*bits), *decimal)))
            }
            Self::Float(bits, None) => {
                let float = gnomon_sdk::schema::Float::new(f64::from_bits(*bits));
                everything(rows.find(Find::new("by_float", [Ok(Value::F64(float))])))
            }
            Self::Bytes(bytes, Some(text)) => everything(rows.find(Everything::by_bytes(bytes, text))),
            Self::Bytes(bytes, None) => everything(rows.find(Find::new("by_bytes", [bytes.to_value()]))),
            Self::Right(right, Some(note)) => pairs(rows.find(Pair::by_right(*right, note))),
            Self::Right(right, None) => pairs(rows.find(Find::new("by_right", [Ok(Value::I64(*right))]))),
            Self::Note(note) => pairs(rows.find(Pair::by_note(note))),
            Self::Day(day, Some(number)) => key_types(rows.find(KeyTypes::by_day(*day, *number))),
            Self::Day(day, None) => key_types(rows.find(Find::new("by_day", [day.to_value()]))),
            Self::Amount(amount, Some((flag, instant))) => {
                key_types(rows.find(KeyTypes::by_amount(*amount, *flag, *instant)))
            }
            Self::Local(local, Some(time)) => shapes(rows.find(Shapes::by_local(*local, *time))),
            Self::Local(local, None) => shapes(rows.find(Find::new("by_local", [local.to_value()]))),
            Self::Amount(amount, None) => key_types(rows.find(Find::new("by_amount", [amount.to_value()]))),
        }
    }
}
