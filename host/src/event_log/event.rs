//! Events: to be appended, and recorded.

use gnomon_values::{
    Instant,
    projection::{is_schema_version, not_a_schema_version},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    json_text::JsonText,
    name::{EventType, StreamName, Tag},
};
use crate::postgres::sql_number;

/// The position of an event in the whole log: 1, 2, 3 … without gaps, in the order of commits. 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// The version of an event within its stream: 1, 2, 3 … without gaps. 0 is that of a stream without events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamVersion(pub u64);

macro_rules! number {
    ($name:ident) => {
        impl $name {
            /// The one after this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(Position);
number!(StreamVersion);
sql_number!(Position(u64) as i64);
sql_number!(StreamVersion(u64) as i64);

/// The version of the shape of an event's data: 1, 2, 3 …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SchemaVersion(u32);

/// A number is not a [`SchemaVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", not_a_schema_version(*_0))]
pub struct SchemaVersionError(u32);

impl SchemaVersion {
    /// The first version of every shape.
    pub const FIRST: Self = Self(1);

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

sql_number!(SchemaVersion(u32) as i32);

impl TryFrom<u32> for SchemaVersion {
    type Error = SchemaVersionError;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        if is_schema_version(number) { Ok(Self(number)) } else { Err(SchemaVersionError(number)) }
    }
}

impl From<SchemaVersion> for u32 {
    fn from(version: SchemaVersion) -> Self {
        version.0
    }
}

impl std::fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of an event to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventId {
    /// Given by the client: appending it again is a repeat.
    Given(Uuid),
    /// Made by the host for an event without one, so it cannot be in the log yet.
    Made(Uuid),
}

impl EventId {
    /// Makes an id: a UUIDv7, time-ordered, so that the index on ids grows at its end.
    #[must_use]
    pub fn make() -> Self {
        Self::Made(Uuid::now_v7())
    }

    /// The id.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Given(id) | Self::Made(id) => id,
        }
    }
}

/// An event to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id, which makes a repeated append safe.
    pub id: EventId,
    /// The event's type.
    pub event_type: EventType,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// When it happened; `None` for the time of its commit.
    pub time: Option<Instant>,
    /// JSON, kept as written.
    pub data: JsonText,
    /// JSON, kept as written.
    pub metadata: Option<JsonText>,
    /// By which decisions find it; each once.
    pub tags: Vec<Tag>,
}

impl NewEvent {
    /// The bytes of its data and metadata.
    #[must_use]
    pub fn data_bytes(&self) -> usize {
        self.data.as_str().len() + self.metadata.as_ref().map_or(0, |metadata| metadata.as_str().len())
    }

    /// The bytes that the event's content takes in the log.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data_bytes() + tag_bytes(&self.tags)
    }
}

fn tag_bytes(tags: &[Tag]) -> usize {
    tags.iter().map(|tag| tag.as_str().len()).sum()
}

/// An event of the log.
#[derive(Clone, Debug)]
pub struct RecordedEvent {
    /// Its position in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Its version within the stream.
    pub version: StreamVersion,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub event_type: EventType,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// When it happened, as its writer says.
    pub time: Instant,
    /// When it was committed.
    pub recorded_at: Instant,
    /// JSON, as written; what of it is forgotten is replaced.
    pub data: JsonText,
    /// JSON, as written, with the mark of what is forgotten.
    pub metadata: Option<JsonText>,
    /// By which decisions find it; each once.
    pub tags: Vec<Tag>,
    /// Whether a part of its data is personal. What is made of it must not be kept where nobody looks when a person is forgotten.
    pub is_personal: bool,
}

impl RecordedEvent {
    /// The bytes that the event takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.stream.as_str().len()
            + self.event_type.as_str().len()
            + self.data.as_str().len()
            + self.metadata.as_ref().map_or(0, |metadata| metadata.as_str().len())
            + self.tags.iter().map(|tag| size_of::<Tag>() + tag.as_str().len()).sum::<usize>()
    }
}
