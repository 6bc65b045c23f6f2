//! Descriptors: what a module declares.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::open_enum::open_enum;

open_enum! {
    /// The kind of a module.
    ModuleKind {
        /// It folds events into read models.
        Projection "projection",
        /// It rewrites events of older schema versions.
        Upcaster "upcaster",
        /// It answers events with effects.
        Reactor "reactor",
    }
}

open_enum! {
    /// What the cells of a column hold.
    ColumnType {
        /// UTF-8 text without NUL.
        Text "text",
        /// Text that is compared and searched without regard to case, and kept as it was written.
        CiText "citext",
        /// True or false.
        Bool "bool",
        /// A signed 64-bit integer.
        I64 "i64",
        /// A 64-bit float.
        F64 "f64",
        /// A decimal number.
        Decimal "decimal",
        /// An instant, in microseconds.
        Timestamp "timestamp",
        /// A date and a time of day without a time zone, in microseconds.
        LocalTimestamp "local_timestamp",
        /// A day of the Gregorian calendar.
        Date "date",
        /// A time of day, in microseconds.
        Time "time",
        /// A UUID.
        Uuid "uuid",
        /// JSON in canonical form.
        Json "json",
        /// Bytes.
        Bytes "bytes",
        /// Texts.
        TextArray "text[]",
        /// Signed 64-bit integers.
        I64Array "i64[]",
        /// 64-bit floats.
        F64Array "f64[]",
        /// UUIDs.
        UuidArray "uuid[]",
    }
}

open_enum! {
    /// What an index is over.
    IndexKind {
        /// The values of columns, first to last.
        Btree "btree",
        /// What json and arrays contain.
        Gin "gin",
        /// The words of texts.
        FullText "full_text",
    }
}

open_enum! {
    /// How much the words of a column count, where results are ranked: `A` most.
    Weight {
        /// As in titles.
        A "A",
        /// As in headings.
        B "B",
        /// As in summaries.
        C "C",
        /// As in bodies.
        D "D",
    }
}

open_enum! {
    /// What each row of a projection depends on.
    Partition {
        /// The events of one stream only.
        Stream "stream",
    }
}

/// What a module declares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Descriptor {
    /// It is a projection.
    Projection(ProjectionDescriptor),
    /// It is an upcaster.
    Upcaster(UpcasterDescriptor),
    /// It is a reactor.
    Reactor(ReactorDescriptor),
    /// A kind that this program does not know.
    #[serde(other)]
    Other,
}

/// What a module was written with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Sdk {
    /// The name of the SDK.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The programming language.
    pub language: String,
}

/// A projection's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ProjectionDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// What the read model is for, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tables that it fills.
    pub tables: Vec<TableDescriptor>,
    /// Whether it wants events of every type, or those of `event_types` only.
    pub all_types: bool,
    /// The types of events that it handles.
    pub event_types: Vec<WantedType>,
    /// The categories of streams that it wants; all if the list is empty.
    pub categories: Vec<String>,
    /// The tags of the events that it wants; events with any tags or none if the list is empty.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What each row depends on, if the projection declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioned_by: Option<Partition>,
}

/// A reactor's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReactorDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// What the reactor is for, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tables of its own rows, which only it reads and writes.
    pub tables: Vec<TableDescriptor>,
    /// Whether it wants events of every type, or those of `event_types` only.
    pub all_types: bool,
    /// The types of events that it handles; those of its own events count, whatever the categories and tags.
    pub event_types: Vec<WantedType>,
    /// The categories of streams that it wants; all but those of other reactors' own events if the list is empty.
    pub categories: Vec<String>,
    /// The tags of the events that it wants; events with any tags or none if the list is empty.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The names of the sinks that it publishes to or calls.
    #[serde(default)]
    pub sinks: Vec<String>,
}

/// A table of a module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TableDescriptor {
    /// Its name.
    pub name: String,
    /// What a row is, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<ColumnDescriptor>,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// Its indexes beside the key.
    #[serde(default)]
    pub indexes: Vec<IndexDescriptor>,
    /// Which of its columns are keys of which tables of the projection.
    #[serde(default)]
    pub references: Vec<ReferenceDescriptor>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ColumnDescriptor {
    /// Its name.
    pub name: String,
    /// What it means, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    #[serde(default)]
    pub nullable: bool,
}

/// An index of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct IndexDescriptor {
    /// Its name, unique in its table.
    pub name: String,
    /// What it is over.
    pub kind: IndexKind,
    /// Its columns, first to last.
    pub columns: Vec<String>,
    /// The language of the texts, for a full-text index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How much the words of each column count, for a full-text index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<Weight>>,
}

/// Columns of a table whose values are a key of another table of the module, or of the same one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReferenceDescriptor {
    /// The columns, in the order of that key.
    pub columns: Vec<String>,
    /// The table with the key.
    pub table: String,
}

/// A type of event that a module wants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct WantedType {
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that the module reads, if it declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
}

/// An upcaster's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UpcasterDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// The steps that it takes.
    pub steps: Vec<UpcasterStep>,
}

/// A step of an upcaster: from one schema version of an event type to another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct UpcasterStep {
    /// The type of event that it rewrites.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that it rewrites.
    pub from: u32,
    /// The schema version that comes out.
    pub to: u32,
    /// The types of the events that come out.
    #[serde(default)]
    pub produces: Vec<String>,
}
