//! Converts between the generated types and those of the crate.

use std::sync::Arc;

use uuid::Uuid;

use super::generated::gnomon::module::types;
use crate::{
    event::{EventText, RawEvent},
    schema::{Float, Value},
};

/// The events of a batch.
pub(super) fn events(batch: types::Batch) -> impl ExactSizeIterator<Item = RawEvent> {
    let types::Batch { events, texts, tag_lengths } = batch;
    let (texts, mut end) = (Arc::new(texts), 0);
    let mut text = move |length: u32| {
        let start = end;
        end += length;
        EventText::part(&texts, start..end)
    };
    let mut tag_lengths = tag_lengths.into_iter();
    events.into_iter().map(move |event| RawEvent {
        position: event.position,
        part: event.part,
        version: event.version,
        id: uuid(event.id),
        schema_version: event.schema_version,
        time: event.time,
        recorded_at: event.recorded_at,
        // In the order of the texts.
        stream: text(event.stream_length),
        event_type: text(event.type_length),
        data: text(event.data_length),
        metadata: (event.metadata_length > 0).then(|| text(event.metadata_length)),
        tags: tag_lengths.by_ref().take(event.tags as usize).map(|length| text(length).into()).collect(),
    })
}

/// What a module says of the SDK that it is written with.
pub(super) fn sdk() -> types::Sdk {
    types::Sdk {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        language: "Rust".to_owned(),
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
        Value::CiText(text) => types::Value::CaseInsensitiveText(text),
        Value::Bool(bool) => types::Value::Boolean(bool),
        Value::I64(number) => types::Value::Int64(number),
        Value::F64(number) => types::Value::Float64(number.get()),
        Value::Decimal(text) => types::Value::Decimal(text),
        Value::Timestamp(micros) => types::Value::Timestamp(micros),
        Value::LocalTimestamp(micros) => types::Value::LocalTimestamp(micros),
        Value::Date(days) => types::Value::Date(days),
        Value::Time(micros) => types::Value::TimeOfDay(micros),
        Value::Uuid(uuid) => types::Value::Uuid(halves(uuid)),
        Value::Json(text) => types::Value::Json(text),
        Value::Bytes(bytes) => types::Value::Bytes(bytes),
        Value::TextArray(texts) => types::Value::TextArray(texts),
        Value::I64Array(numbers) => types::Value::Int64Array(numbers),
        Value::F64Array(numbers) => types::Value::Float64Array(numbers.into_iter().map(Float::get).collect()),
        Value::UuidArray(uuids) => types::Value::UuidArray(uuids.into_iter().map(halves).collect()),
    }
}

pub(super) fn values(cells: Vec<types::Value>) -> Vec<Value> {
    cells.into_iter().map(value).collect()
}

fn value(cell: types::Value) -> Value {
    match cell {
        types::Value::Null => Value::Null,
        types::Value::Text(text) => Value::Text(text),
        types::Value::CaseInsensitiveText(text) => Value::CiText(text),
        types::Value::Boolean(bool) => Value::Bool(bool),
        types::Value::Int64(number) => Value::I64(number),
        types::Value::Float64(number) => Value::F64(Float::new(number)),
        types::Value::Decimal(text) => Value::Decimal(text),
        types::Value::Timestamp(micros) => Value::Timestamp(micros),
        types::Value::LocalTimestamp(micros) => Value::LocalTimestamp(micros),
        types::Value::Date(days) => Value::Date(days),
        types::Value::TimeOfDay(micros) => Value::Time(micros),
        types::Value::Uuid(id) => Value::Uuid(uuid(id)),
        types::Value::Json(text) => Value::Json(text),
        types::Value::Bytes(bytes) => Value::Bytes(bytes),
        types::Value::TextArray(texts) => Value::TextArray(texts),
        types::Value::Int64Array(numbers) => Value::I64Array(numbers),
        types::Value::Float64Array(numbers) => Value::F64Array(numbers.into_iter().map(Float::new).collect()),
        types::Value::UuidArray(uuids) => Value::UuidArray(uuids.into_iter().map(uuid).collect()),
    }
}

fn halves(uuid: Uuid) -> types::Uuid {
    let (high, low) = uuid.as_u64_pair();
    types::Uuid { high, low }
}

fn uuid(id: types::Uuid) -> Uuid {
    Uuid::from_u64_pair(id.high, id.low)
}
