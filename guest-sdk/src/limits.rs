//! Checks for values that no host accepts, whatever its settings.
//!
//! They fail the event that causes them. The host would see them only at the end of the batch, and not at all if a later event of
//! the batch changes the row again, so rows would depend on how events are split into batches.

use gnomon_values::{
    Day, Instant, LocalTimestamp, TimeOfDay,
    cells::{self, IndexedColumns},
    json::CanonicalJson,
};

use crate::{
    Failure,
    schema::{ColumnType, IndexKind, TableSchema, Value},
};

/// Checks a cell that a [`Column`](crate::Column) made.
pub(crate) fn check_cell(column_type: ColumnType, nullable: bool, cell: &Value) -> Result<(), Failure> {
    match cell.column_type() {
        Some(found) if found != column_type => {
            return Err(Failure::new(format!("it has type {column_type}, but the value has type {found}")));
        }
        None if !nullable => return Err(Failure::new("it must not be null")),
        _ => {}
    }
    check_value(cell)
}

/// Checks the sizes of keys and indexed values of a row. Its cells were checked by their columns, so a row that is smaller than an
/// index entry may be needs no check.
pub(crate) fn check_row(schema: &TableSchema, row: &[Value]) -> Result<(), Failure> {
    let sizes = |columns: &'static [&'static str]| {
        columns.iter().filter_map(|column| schema.index_of(column)).map(|index| row[index].heap_bytes())
    };
    cells::check_index(IndexedColumns::Key, sizes(schema.key))?;
    for index in schema.indexes {
        match index.kind {
            IndexKind::Btree(columns) => cells::check_index(IndexedColumns::Index(index.name), sizes(columns))?,
            IndexKind::Gin(columns) => {
                for column in columns.iter().filter_map(|column| schema.index_of(column)) {
                    if let Value::TextArray(texts) = &row[column] {
                        cells::check_elements(IndexedColumns::Index(index.name), texts.iter().map(String::len))?;
                    }
                }
            }
            IndexKind::FullText { .. } => {}
        }
    }
    Ok(())
}

/// Checks a key.
pub(crate) fn check_key(key: &[Value]) -> Result<(), Failure> {
    key.iter().try_for_each(check_value)?;
    Ok(cells::check_index(IndexedColumns::Key, key.iter().map(Value::heap_bytes))?)
}

/// Checks a value that has the type of its column.
pub(crate) fn check_value(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Text(text) | Value::CiText(text) => Ok(cells::check_text(text)?),
        Value::TextArray(texts) => texts.iter().try_for_each(|text| Ok(cells::check_text(text)?)),
        Value::Timestamp(micros) => Ok(Instant(*micros).check().map(drop)?),
        Value::LocalTimestamp(micros) => Ok(LocalTimestamp(*micros).check().map(drop)?),
        Value::Time(micros) => Ok(TimeOfDay(*micros).check().map(drop)?),
        Value::Date(days) => Ok(Day(*days).check().map(drop)?),
        Value::Json(text) => Ok(CanonicalJson::parse(text).map(drop)?),
        _ => Ok(()),
    }
}
