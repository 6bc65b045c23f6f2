//! What no host takes, whatever its settings.
//!
//! It is refused at the event that causes it. If it were left to the host, that would see it at the end of the batch, or not
//! at all where a later event of the batch changes the row once more, and the rows would depend on how events fall into
//! batches.

use gnomon_values::{
    Day, Instant,
    cells::{self, IndexedColumns},
    json::CanonicalJson,
};

use crate::{
    Failure,
    schema::{ColumnType, TableSchema, Value},
};

/// Checks a cell that a [`Column`](crate::Column) made.
pub(crate) fn check_cell(column_type: ColumnType, nullable: bool, cell: &Value) -> Result<(), Failure> {
    match cell.column_type() {
        Some(found) if found != column_type => {
            return Err(Failure::new(format!("it holds {column_type}, a value of type {found} came")));
        }
        None if !nullable => return Err(Failure::new("it must not be null")),
        _ => {}
    }
    check_value(cell)
}

/// Checks the cells of a row. Only one that holds more bytes than an index may have can break a rule here, as each cell was
/// looked at by its column.
pub(crate) fn check_row(schema: &TableSchema, row: &[Value]) -> Result<(), Failure> {
    let sizes = |columns: &'static [&'static str]| {
        columns.iter().filter_map(|column| schema.place_of(column)).map(|place| row[place].heap_bytes())
    };
    cells::check_index(IndexedColumns::Key, sizes(schema.key))?;
    for index in schema.indexes {
        cells::check_index(IndexedColumns::Index(index.name), sizes(index.columns))?;
    }
    Ok(())
}

/// Checks a key.
pub(crate) fn check_key(key: &[Value]) -> Result<(), Failure> {
    key.iter().try_for_each(check_value)?;
    Ok(cells::check_index(IndexedColumns::Key, key.iter().map(Value::heap_bytes))?)
}

/// Checks a value whose type is right.
pub(crate) fn check_value(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Text(text) => Ok(cells::check_text(text)?),
        Value::Timestamp(micros) => Ok(Instant(*micros).check().map(drop)?),
        Value::Date(days) => Ok(Day(*days).check().map(drop)?),
        Value::Json(text) => Ok(CanonicalJson::parse(text).map(drop)?),
        _ => Ok(()),
    }
}
