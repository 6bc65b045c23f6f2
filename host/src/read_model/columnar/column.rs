//! The columns of an answer, and what they are for Arrow.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Metadata, TimeUnit};

/// What a cell is, both as Postgres sends it and as Arrow has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellType {
    /// UTF-8 text. Decimals, UUIDs and JSON are texts too, as JSON shows them.
    Text,
    /// True or false.
    Bool,
    /// An integer of 16 bits.
    I16,
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits.
    I64,
    /// A float of 32 bits.
    F32,
    /// A float of 64 bits.
    F64,
    /// An instant, in microseconds.
    Timestamp,
    /// A date and a time of day without a time zone, in microseconds.
    LocalTimestamp,
    /// A day.
    Date,
    /// A time of day, in microseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Texts.
    Texts,
    /// Integers of 64 bits.
    I64s,
    /// Floats of 64 bits.
    F64s,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutColumn {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub cell_type: CellType,
    /// The type that it has in Gnomon, which says more than `cell_type`.
    pub declared: &'static str,
}

/// The key under which a field names the type that it has in Gnomon.
const TYPE_KEY: &str = "gnomon.type";

impl CellType {
    /// The type of Arrow.
    #[must_use]
    pub fn arrow(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::I16 => DataType::Int16,
            Self::I32 => DataType::Int32,
            Self::I64 => DataType::Int64,
            Self::F32 => DataType::Float32,
            Self::F64 => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Bytes => DataType::Binary,
            Self::Texts => list(DataType::Utf8),
            Self::I64s => list(DataType::Int64),
            Self::F64s => list(DataType::Float64),
        }
    }
}

/// The fields of columns. Each may be null: a row that is spread into another may not be there.
#[must_use]
pub fn fields(columns: &[OutColumn]) -> Fields {
    let field = |column: &OutColumn| {
        let metadata = Metadata::from([(TYPE_KEY, column.declared)]);
        Field::new(&column.name, column.cell_type.arrow(), true).with_metadata(metadata)
    };
    columns.iter().map(field).collect()
}
