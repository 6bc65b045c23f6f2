//! Events as Postgres returns them.

use bytestring::ByteString;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    event::{Position, RecordedEvent, SchemaVersion, StreamVersion},
    json_text::JsonText,
    name::{EventType, StreamName, Tag},
};
use crate::postgres::{BinaryRows, CopyFormatError, PgTimestamp};

/// A SELECT of events in the order that [`event_from_row`] reads.
macro_rules! select_events {
    ($($rest:literal),+) => {
        concat!(
            "SELECT position, version, time, recorded_at, id, schema_version, stream, type, data::text, metadata::text, tags \
             FROM gnomon.events ",
            $($rest),+
        )
    };
}

/// The same for a COPY, in the order that [`event_from_copy`] reads. There JSON has the same form as text, and Postgres need not convert it.
macro_rules! copy_events {
    ($($rest:literal),+) => {
        concat!(
            "SELECT position, version, time, recorded_at, id, schema_version, stream, type, data, metadata, tags \
             FROM gnomon.events ",
            $($rest),+
        )
    };
}
pub(super) use {copy_events, select_events};

pub(super) fn event_from_row(row: &PgRow) -> Result<RecordedEvent, sqlx::Error> {
    Ok(RecordedEvent {
        position: row.try_get(0)?,
        version: row.try_get(1)?,
        time: row.try_get::<PgTimestamp, _>(2)?.instant(),
        recorded_at: row.try_get::<PgTimestamp, _>(3)?.instant(),
        id: row.try_get(4)?,
        schema_version: row.try_get(5)?,
        stream: StreamName::trusted(row.try_get::<String, _>(6)?),
        event_type: EventType::trusted(row.try_get::<String, _>(7)?),
        data: JsonText::trusted(row.try_get::<String, _>(8)?),
        metadata: row.try_get::<Option<String>, _>(9)?.map(JsonText::trusted),
        tags: trusted_tags(row.try_get::<Option<Vec<String>>, _>(10)?),
        is_personal: false,
    })
}

/// Reads the fields of the current row of a COPY.
pub(super) fn event_from_copy(row: &mut BinaryRows) -> Result<RecordedEvent, sqlx::Error> {
    Ok(RecordedEvent {
        position: Position::from_wire(row.i64()?)?,
        version: StreamVersion::from_wire(row.i64()?)?,
        time: PgTimestamp::from_wire(row.i64()?).instant(),
        recorded_at: PgTimestamp::from_wire(row.i64()?).instant(),
        id: Uuid::from_bytes(row.fixed()?),
        schema_version: SchemaVersion::from_wire(i32::from_be_bytes(row.fixed()?))?,
        stream: StreamName::trusted(row.text()?.ok_or(CopyFormatError)?),
        event_type: EventType::trusted(row.text()?.ok_or(CopyFormatError)?),
        data: JsonText::trusted(row.text()?.ok_or(CopyFormatError)?),
        metadata: row.text()?.map(JsonText::trusted),
        tags: trusted_tags(row.texts()?),
        is_personal: false,
    })
}

pub(super) fn trusted_tags<T: Into<ByteString>>(tags: Option<Vec<T>>) -> Vec<Tag> {
    tags.unwrap_or_default().into_iter().map(Tag::trusted).collect()
}
