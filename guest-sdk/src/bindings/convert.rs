//! Converts between the generated types and those of the crate.

use uuid::Uuid;

use super::generated::gnomon::module::types;
use crate::{
    event::RawEvent,
    schema::{Float, Value},
};

pub(super) fn event(event: types::Event) -> RawEvent {
    RawEvent {
        position: event.position,
        part: event.part,
        stream: event.stream,
        version: event.version,
        id: uuid(event.id),
        event_type: event.event_type,
        schema_version: event.schema_version,
        data: event.data,
        metadata: event.metadata,
        time: event.time,
        recorded_at: event.recorded_at,
    }
}

pub(super) fn cells_of_all(rows: Vec<Vec<Value>>) -> Vec<Vec<types::Value>> {
    rows.into_iter().map(cells).collect()
}

pub(super) fn cells(values: Vec<Value>) -> Vec<types::Value> {
    values.into_iter().map(cell).collect()
}

fn cell(value: Value) -> types::Value {
    match value {
        Value::Null => types::Value::Null,
        Value::Text(text) => types::Value::Text(text),
        Value::Bool(bool) => types::Value::Boolean(bool),
        Value::I64(number) => types::Value::Int64(number),
        Value::F64(number) => types::Value::Float64(number.get()),
        Value::Decimal(text) => types::Value::Decimal(text),
        Value::Timestamp(micros) => types::Value::Timestamp(micros),
        Value::Date(days) => types::Value::Date(days),
        Value::Uuid(uuid) => {
            let (high, low) = uuid.as_u64_pair();
            types::Value::Uuid(types::Uuid { high, low })
        }
        Value::Json(text) => types::Value::Json(text),
        Value::Bytes(bytes) => types::Value::Bytes(bytes),
    }
}

pub(super) fn values(cells: Vec<types::Value>) -> Vec<Value> {
    cells.into_iter().map(value).collect()
}

fn value(cell: types::Value) -> Value {
    match cell {
        types::Value::Null => Value::Null,
        types::Value::Text(text) => Value::Text(text),
        types::Value::Boolean(bool) => Value::Bool(bool),
        types::Value::Int64(number) => Value::I64(number),
        types::Value::Float64(number) => Value::F64(Float::new(number)),
        types::Value::Decimal(text) => Value::Decimal(text),
        types::Value::Timestamp(micros) => Value::Timestamp(micros),
        types::Value::Date(days) => Value::Date(days),
        types::Value::Uuid(id) => Value::Uuid(uuid(id)),
        types::Value::Json(text) => Value::Json(text),
        types::Value::Bytes(bytes) => Value::Bytes(bytes),
    }
}

fn uuid(id: types::Uuid) -> Uuid {
    Uuid::from_u64_pair(id.high, id.low)
}
