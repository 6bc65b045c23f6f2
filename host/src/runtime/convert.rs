//! Converts between the values of the contract and those of the host.

use gnomon_values::{
    Day, Instant, LocalTimestamp, TimeOfDay,
    cells::{number_array_bytes, row_bytes, text_array_bytes, uuid_array_bytes},
};
use uuid::Uuid;

pub(super) use super::bindings::types::{Batch, Failure};
use super::{bindings::types as contract, delivery::Delivery};
use crate::read_model::{CanonicalJson, Decimal, DecimalError, Float, JsonError, Row, Value};

/// The interfaces that declare values. They have no functions, so nothing is linked for them.
pub(super) const INTERFACES: [&str; 2] = ["gnomon:module/types", "gnomon:module/tables"];

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

/// Events in the form in which a module gets them.
#[derive(Default)]
pub(super) struct Events {
    events: Vec<contract::Event>,
    texts: String,
    tag_lengths: Vec<u32>,
}

/// The texts of a batch take more bytes than a module can have.
#[derive(Debug, thiserror::Error)]
#[error("the texts of a batch have more than {} bytes, which no module can address", u32::MAX)]
pub(super) struct BatchTooLarge;

impl Events {
    /// # Errors
    /// They are too large for any module. Batches end long before.
    pub(super) fn of<'e>(
        deliveries: impl ExactSizeIterator<Item = &'e Delivery> + Clone,
    ) -> Result<Self, BatchTooLarge> {
        let bytes = deliveries.clone().map(text_bytes).sum();
        let length = u32::try_from(bytes).map_err(|_| BatchTooLarge)?;
        let mut all = Self {
            events: Vec::with_capacity(deliveries.len()),
            texts: String::with_capacity(bytes),
            tag_lengths: Vec::new(),
        };
        deliveries.for_each(|event| all.push(event));
        debug_assert_eq!(all.texts.len(), length as usize);
        Ok(all)
    }

    pub(super) fn as_batch(&self) -> Batch<'_> {
        Batch { events: &self.events, texts: &self.texts, tag_lengths: &self.tag_lengths }
    }

    fn push(&mut self, event: &Delivery) {
        let metadata = event.metadata.as_deref().unwrap_or_default();
        let [stream_length, type_length, data_length, metadata_length] =
            [&event.stream, &event.event_type, &event.data, metadata].map(|text| self.text(text));
        self.tag_lengths.reserve(event.tags.len());
        for tag in &event.tags {
            let length = self.text(tag);
            self.tag_lengths.push(length);
        }
        self.events.push(contract::Event {
            position: event.position.0,
            version: event.version.0,
            id: to_module_uuid(event.id),
            time: event.time.0,
            recorded_at: event.recorded_at.0,
            part: event.part,
            schema_version: event.schema_version.get(),
            stream_length,
            type_length,
            data_length,
            metadata_length,
            tags: event.tags.len() as u32,
        });
    }

    /// Adds a text. Their sum is known to be a `u32`.
    fn text(&mut self, text: &str) -> u32 {
        self.texts.push_str(text);
        text.len() as u32
    }
}

fn text_bytes(event: &Delivery) -> usize {
    let metadata = event.metadata.as_ref().map_or(0, |metadata| metadata.len());
    let tags: usize = event.tags.iter().map(|tag| tag.len()).sum();
    event.stream.len() + event.event_type.len() + event.data.len() + metadata + tags
}

fn to_module_uuid(uuid: Uuid) -> contract::Uuid {
    let (high, low) = uuid.as_u64_pair();
    contract::Uuid { high, low }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;
    use crate::event_log::{Position, SchemaVersion, StreamVersion};

    fn delivery(position: u64, texts: [&str; 3], metadata: Option<&str>, tags: &[&str]) -> Delivery {
        let [stream, event_type, data] = texts.map(ByteString::from);
        Delivery {
            position: Position(position),
            part: 1,
            stream,
            version: StreamVersion(position + 10),
            id: Uuid::from_u128(u128::MAX - u128::from(position)),
            event_type,
            schema_version: SchemaVersion::FIRST,
            data,
            metadata: metadata.map(ByteString::from),
            time: Instant(-5),
            recorded_at: Instant(7),
            tags: tags.iter().map(|&tag| ByteString::from(tag)).collect(),
        }
    }

    /// Takes a batch apart as a module does.
    #[test]
    fn the_texts_of_a_batch_are_those_of_its_events_in_their_order() {
        let events = [
            delivery(1, ["account-1", "Opened", "{}"], None, &[]),
            delivery(3, ["straße-ü", "Äußerung", r#"{"é":1}"#], Some(r#"{"by":"ann"}"#), &["course:c1", "s:é"]),
            delivery(4, ["a", "B", "1"], None, &["x"]),
        ];
        let all = Events::of(events.iter()).unwrap();
        let Batch { events: passed, mut texts, tag_lengths } = all.as_batch();
        let mut text = |length: u32| {
            let (text, rest) = texts.split_at(length as usize);
            texts = rest;
            ByteString::from(text)
        };
        let mut tag_lengths = tag_lengths.iter();
        let read = passed.iter().map(|event| Delivery {
            position: Position(event.position),
            part: event.part,
            version: StreamVersion(event.version),
            id: from_module_uuid(event.id),
            schema_version: SchemaVersion::try_from(event.schema_version).unwrap(),
            time: Instant(event.time),
            recorded_at: Instant(event.recorded_at),
            stream: text(event.stream_length),
            event_type: text(event.type_length),
            data: text(event.data_length),
            metadata: (event.metadata_length > 0).then(|| text(event.metadata_length)),
            tags: (0..event.tags).map(|_| text(*tag_lengths.next().unwrap())).collect(),
        });
        assert_eq!(read.collect::<Vec<_>>(), events);
        assert_eq!((texts, tag_lengths.next()), ("", None));
    }
}
