//! Converts between the values of the contract and those of the host.

use gnomon_values::{
    Day, Instant, LocalTimestamp, TimeOfDay,
    cells::{number_array_bytes, row_bytes, text_array_bytes, uuid_array_bytes},
};
use uuid::Uuid;

pub(super) use super::bindings::types::{Event, Failure};
use super::{bindings::types as contract, delivery::Delivery, descriptor::Sdk};
use crate::read_model::{CanonicalJson, Decimal, DecimalError, Float, JsonError, Row, Value};

/// The interface that declares the values. It has no functions, so nothing is linked for it.
pub(super) const INTERFACE: &str = "gnomon:module/types";

/// A cell that is not a value of its type.
#[derive(Debug, thiserror::Error)]
pub(super) enum CellError {
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    #[error(transparent)]
    Json(#[from] JsonError),
}

/// The bytes of cells as the module passed them, before they are parsed.
pub(super) fn passed_bytes(cells: &[contract::Value]) -> usize {
    row_bytes(cells.iter().map(|cell| match cell {
        contract::Value::Text(text)
        | contract::Value::CaseInsensitiveText(text)
        | contract::Value::Decimal(text)
        | contract::Value::Json(text) => text.len(),
        contract::Value::Bytes(bytes) => bytes.len(),
        contract::Value::TextArray(texts) => text_array_bytes(texts.iter().map(String::len)),
        contract::Value::Int64Array(numbers) => number_array_bytes(numbers.len()),
        contract::Value::Float64Array(numbers) => number_array_bytes(numbers.len()),
        contract::Value::UuidArray(uuids) => uuid_array_bytes(uuids.len()),
        _ => 0,
    }))
}

/// Converts cells that a module passed.
pub(super) fn cells_from_module(cells: Vec<contract::Value>) -> Result<Row, CellError> {
    cells.into_iter().map(from_module).collect()
}

fn from_module(value: contract::Value) -> Result<Value, CellError> {
    Ok(match value {
        contract::Value::Null => Value::Null,
        contract::Value::Text(text) => Value::Text(text),
        contract::Value::CaseInsensitiveText(text) => Value::CiText(text),
        contract::Value::Boolean(bool) => Value::Bool(bool),
        contract::Value::Int64(int) => Value::I64(int),
        contract::Value::Float64(float) => Value::F64(Float::new(float)),
        contract::Value::Decimal(text) => Value::Decimal(Decimal::parse(&text)?),
        contract::Value::Timestamp(microseconds) => Value::Timestamp(Instant(microseconds)),
        contract::Value::LocalTimestamp(microseconds) => Value::LocalTimestamp(LocalTimestamp(microseconds)),
        contract::Value::Date(days) => Value::Date(Day(days)),
        contract::Value::TimeOfDay(microseconds) => Value::Time(TimeOfDay(microseconds)),
        contract::Value::Uuid(uuid) => Value::Uuid(from_module_uuid(uuid)),
        contract::Value::Json(text) => Value::Json(CanonicalJson::parse(&text)?),
        contract::Value::Bytes(bytes) => Value::Bytes(bytes),
        contract::Value::TextArray(texts) => Value::TextArray(texts),
        contract::Value::Int64Array(numbers) => Value::I64Array(numbers),
        contract::Value::Float64Array(numbers) => Value::F64Array(numbers.into_iter().map(Float::new).collect()),
        contract::Value::UuidArray(uuids) => Value::UuidArray(uuids.into_iter().map(from_module_uuid).collect()),
    })
}

/// Converts what a module says of its SDK.
pub(super) fn sdk_from_module(sdk: contract::Sdk) -> Sdk {
    let contract::Sdk { name, version, language } = sdk;
    Sdk { name, version, language }
}

fn from_module_uuid(uuid: contract::Uuid) -> Uuid {
    Uuid::from_u64_pair(uuid.high, uuid.low)
}

/// Converts cells for a module.
pub(super) fn cells_to_module(cells: &[Value]) -> Vec<contract::Value> {
    cells.iter().map(to_module).collect()
}

fn to_module(value: &Value) -> contract::Value {
    match value {
        Value::Null => contract::Value::Null,
        Value::Text(text) => contract::Value::Text(text.clone()),
        Value::CiText(text) => contract::Value::CaseInsensitiveText(text.clone()),
        Value::Bool(bool) => contract::Value::Boolean(*bool),
        Value::I64(int) => contract::Value::Int64(*int),
        Value::F64(float) => contract::Value::Float64(float.get()),
        Value::Decimal(decimal) => contract::Value::Decimal(decimal.as_str().to_owned()),
        Value::Timestamp(instant) => contract::Value::Timestamp(instant.0),
        Value::LocalTimestamp(local) => contract::Value::LocalTimestamp(local.0),
        Value::Date(day) => contract::Value::Date(day.0),
        Value::Time(time) => contract::Value::TimeOfDay(time.0),
        Value::Uuid(uuid) => contract::Value::Uuid(to_module_uuid(*uuid)),
        Value::Json(json) => contract::Value::Json(json.as_str().to_owned()),
        Value::Bytes(bytes) => contract::Value::Bytes(bytes.clone()),
        Value::TextArray(texts) => contract::Value::TextArray(texts.clone()),
        Value::I64Array(numbers) => contract::Value::Int64Array(numbers.clone()),
        Value::F64Array(numbers) => contract::Value::Float64Array(numbers.iter().map(|number| number.get()).collect()),
        Value::UuidArray(uuids) => contract::Value::UuidArray(uuids.iter().copied().map(to_module_uuid).collect()),
    }
}

/// Converts events for a module, with their tags as [`tags_to_module`] has them.
pub(super) fn events_to_module<'e>(
    events: impl Iterator<Item = &'e Delivery>,
    mut tags: &'e [&'e str],
) -> Vec<Event<'e>> {
    let convert = |event: &'e Delivery| {
        let own;
        (own, tags) = tags.split_at(event.tags.len());
        event_to_module(event, own)
    };
    events.map(convert).collect()
}

/// The tags of all events, one after the other.
pub(super) fn tags_to_module<'e>(events: impl Iterator<Item = &'e Delivery>) -> Vec<&'e str> {
    events.flat_map(|event| &event.tags).map(|tag| &**tag).collect()
}

fn event_to_module<'e>(event: &'e Delivery, tags: &'e [&'e str]) -> Event<'e> {
    Event {
        position: event.position.0,
        part: event.part,
        stream: &event.stream,
        version: event.version.0,
        id: to_module_uuid(event.id),
        event_type: &event.event_type,
        schema_version: event.schema_version.get(),
        data: &event.data,
        metadata: event.metadata.as_deref(),
        time: event.time.0,
        recorded_at: event.recorded_at.0,
        tags,
    }
}

fn to_module_uuid(uuid: Uuid) -> contract::Uuid {
    let (high, low) = uuid.as_u64_pair();
    contract::Uuid { high, low }
}
