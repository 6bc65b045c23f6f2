//! Rows as bytes, to be kept outside of their tables: the same rows are the same bytes.
//!
//! For each table the number of its rows, then the rows by key, each cell behind a byte that says whether it is null. Numbers are big-endian, texts and
//! lists stand behind their length. The types of the cells are those of the tables, and stand nowhere.

use std::sync::Arc;

use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay, json::CanonicalJson};
use uuid::Uuid;

use super::{
    decimal::Decimal,
    table::Table,
    value::{ColumnType, Float, Row, Value},
    write_set::WriteSet,
};

/// The form. Another form gets another number.
const FORM: u8 = 1;

/// The rows that a set writes, as bytes. Those that it deletes are not there.
#[must_use]
pub fn encode_rows(rows: &WriteSet) -> Vec<u8> {
    let mut bytes = vec![FORM];
    for writes in rows.tables() {
        let table = writes.table();
        let mut written: Vec<&Row> = writes.written().collect();
        written.sort_by_cached_key(|row| table.key_of(row));
        put_length(&mut bytes, written.len());
        for cell in written.into_iter().flatten() {
            put_cell(&mut bytes, cell);
        }
    }
    bytes
}

/// The rows of these tables that were encoded; `None` if the bytes are not rows of them.
#[must_use]
pub fn decode_rows(tables: &[Arc<Table>], bytes: &[u8]) -> Option<WriteSet> {
    let mut left = Left(bytes);
    if left.array::<1>()? != [FORM] {
        return None;
    }
    let mut rows = WriteSet::new(tables);
    for (index, table) in tables.iter().enumerate() {
        for _ in 0..left.length()? {
            let row = table.columns().iter().map(|column| left.cell(column.column_type));
            let row: Row = row.collect::<Option<_>>()?;
            table.check_row(&row).ok()?;
            rows.put(index, row);
        }
    }
    left.0.is_empty().then_some(rows)
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&(length as u64).to_be_bytes());
}

fn put_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    put_length(bytes, content.len());
    bytes.extend_from_slice(content);
}

fn put_cell(bytes: &mut Vec<u8>, cell: &Value) {
    bytes.push(u8::from(!matches!(cell, Value::Null)));
    match cell {
        Value::Null => {}
        Value::Text(text) | Value::CiText(text) => put_bytes(bytes, text.as_bytes()),
        Value::Bool(bool) => bytes.push(u8::from(*bool)),
        Value::I64(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        Value::F64(float) => bytes.extend_from_slice(&float.get().to_be_bytes()),
        Value::Decimal(decimal) => put_bytes(bytes, decimal.as_str().as_bytes()),
        Value::Timestamp(instant) => bytes.extend_from_slice(&instant.0.to_be_bytes()),
        Value::LocalTimestamp(local) => bytes.extend_from_slice(&local.0.to_be_bytes()),
        Value::Date(day) => bytes.extend_from_slice(&day.0.to_be_bytes()),
        Value::Time(time) => bytes.extend_from_slice(&time.0.to_be_bytes()),
        Value::Uuid(uuid) => bytes.extend_from_slice(uuid.as_bytes()),
        Value::Json(json) => put_bytes(bytes, json.as_str().as_bytes()),
        Value::Bytes(content) => put_bytes(bytes, content),
        Value::TextArray(texts) => {
            put_length(bytes, texts.len());
            texts.iter().for_each(|text| put_bytes(bytes, text.as_bytes()));
        }
        Value::I64Array(numbers) => {
            put_length(bytes, numbers.len());
            numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_be_bytes()));
        }
        Value::F64Array(numbers) => {
            put_length(bytes, numbers.len());
            numbers.iter().for_each(|number| bytes.extend_from_slice(&number.get().to_be_bytes()));
        }
        Value::UuidArray(uuids) => {
            put_length(bytes, uuids.len());
            uuids.iter().for_each(|uuid| bytes.extend_from_slice(uuid.as_bytes()));
        }
    }
}

/// The bytes that are not read yet.
struct Left<'b>(&'b [u8]);

impl<'b> Left<'b> {
    fn slice(&mut self, length: usize) -> Option<&'b [u8]> {
        let (slice, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(slice)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u64::from_be_bytes(self.array()?)).ok()
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.length()?;
        self.slice(length)
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Nothing is reserved for what the length promises.
        (0..self.length()?).map(|_| item(self)).collect()
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn float(&mut self) -> Option<Float> {
        Some(Float::new(f64::from_be_bytes(self.array()?)))
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn bool(&mut self) -> Option<bool> {
        match self.array::<1>()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn cell(&mut self, column_type: ColumnType) -> Option<Value> {
        if !self.bool()? {
            return Some(Value::Null);
        }
        Some(match column_type {
            ColumnType::Text => Value::Text(self.text()?.to_owned()),
            ColumnType::CiText => Value::CiText(self.text()?.to_owned()),
            ColumnType::Bool => Value::Bool(self.bool()?),
            ColumnType::I64 => Value::I64(self.i64()?),
            ColumnType::F64 => Value::F64(self.float()?),
            ColumnType::Decimal => Value::Decimal(Decimal::parse(self.text()?).ok()?),
            ColumnType::Timestamp => Value::Timestamp(Instant(self.i64()?)),
            ColumnType::LocalTimestamp => Value::LocalTimestamp(LocalTimestamp(self.i64()?)),
            ColumnType::Date => Value::Date(Day(i32::from_be_bytes(self.array()?))),
            ColumnType::Time => Value::Time(TimeOfDay(self.i64()?)),
            ColumnType::Uuid => Value::Uuid(self.uuid()?),
            ColumnType::Json => Value::Json(CanonicalJson::parse(self.text()?).ok()?),
            ColumnType::Bytes => Value::Bytes(self.bytes()?.to_vec()),
            ColumnType::TextArray => Value::TextArray(self.list(|left| left.text().map(str::to_owned))?),
            ColumnType::I64Array => Value::I64Array(self.list(Self::i64)?),
            ColumnType::F64Array => Value::F64Array(self.list(Self::float)?),
            ColumnType::UuidArray => Value::UuidArray(self.list(Self::uuid)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::read_model::samples;

    /// Rows of the table that has every type of columns.
    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let table = samples::table();
        let row = table.columns().iter().map(|column| samples::value(column.column_type)).collect::<Vec<_>>();
        vec(row, 0..5)
    }

    fn set(rows: impl IntoIterator<Item = Row>) -> WriteSet {
        let mut set = WriteSet::new(&[Arc::new(samples::table())]);
        // Not every sample has the columns of the key.
        rows.into_iter().filter(|row| samples::table().check_row(row).is_ok()).for_each(|row| set.put(0, row));
        set
    }

    fn sorted(set: &WriteSet) -> Vec<Row> {
        let mut rows: Vec<Row> = set.tables()[0].written().cloned().collect();
        rows.sort();
        rows
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(rows in rows()) {
            let rows = set(rows);
            let bytes = encode_rows(&rows);
            let decoded = decode_rows(&[Arc::new(samples::table())], &bytes).unwrap();
            prop_assert_eq!(sorted(&decoded), sorted(&rows));
            prop_assert_eq!(encode_rows(&decoded), bytes.clone());
            // In another order, and with a row that is deleted.
            let mut other = set(sorted(&rows).into_iter().rev());
            if let Some(row) = sorted(&rows).first() {
                let key = samples::table().key_of(row);
                other.delete(0, key);
                other.put(0, row.clone());
            }
            prop_assert_eq!(encode_rows(&other), bytes);
        }

        #[test]
        fn bytes_that_are_no_rows_are_refused(rows in rows(), cut in any::<prop::sample::Index>(), more in any::<u8>()) {
            let tables = [Arc::new(samples::table())];
            let bytes = encode_rows(&set(rows));
            prop_assert!(decode_rows(&tables, &bytes[..cut.index(bytes.len())]).is_none());
            prop_assert!(decode_rows(&tables, &[&bytes[..], &[more]].concat()).is_none());
            // Whatever they are, nothing panics, and nothing is reserved for a length that is not there.
            let mut damaged = bytes.clone();
            let at = cut.index(bytes.len());
            damaged[at] = damaged[at].wrapping_add(more);
            let _ = decode_rows(&tables, &damaged);
        }
    }

    #[test]
    fn deleted_rows_are_not_encoded() {
        let table = Arc::new(samples::table());
        let mut rows = WriteSet::new(&[Arc::clone(&table)]);
        rows.delete(0, table.key().iter().map(|_| Value::Null).collect());
        assert_eq!(encode_rows(&rows), encode_rows(&WriteSet::new(&[table])));
    }
}
