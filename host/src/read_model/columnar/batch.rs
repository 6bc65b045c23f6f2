//! Rows of Postgres as batches of Arrow.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder,
        Int64Builder, ListBuilder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{Schema, SchemaRef};
use sqlx::{Row as _, ValueRef as _, postgres::PgRow};

use super::{
    arrays::elements,
    column::{CellType, OutColumn, fields},
};
use crate::postgres::{PgDate, PgTimestamp};

/// The bytes that a batch has when it is full. The row that reaches them is within it.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// What a cell counts beside its own bytes, about: its place in the array, and whether it is null.
const CELL_BYTES: usize = 8;

/// A batch to which rows are added. Cells are read in Postgres' binary format.
#[derive(Debug)]
pub struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<Cells>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Cells {
    Text(StringBuilder),
    Bool(BooleanBuilder),
    I16(Int16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    F32(Float32Builder),
    F64(Float64Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Bytes(BinaryBuilder),
    Texts(ListBuilder<StringBuilder>),
    I64s(ListBuilder<Int64Builder>),
    F64s(ListBuilder<Float64Builder>),
}

impl BatchBuilder {
    /// A batch without rows.
    #[must_use]
    pub fn new(columns: &[OutColumn]) -> Self {
        let schema = Arc::new(Schema::new(fields(columns)));
        Self { schema, columns: columns.iter().map(|column| Cells::of(column.cell_type)).collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row, whose columns are those of the batch in their order.
    ///
    /// # Errors
    /// A cell is not of the type of its column.
    pub fn push(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        for (index, cells) in self.columns.iter_mut().enumerate() {
            let cell = row.try_get_raw(index)?;
            let wire = if cell.is_null() { None } else { Some(cell.as_bytes().map_err(sqlx::Error::Decode)?) };
            self.bytes += CELL_BYTES + wire.map_or(0, <[u8]>::len);
            cells.push(wire).map_err(|reason| sqlx::Error::Decode(reason.into()))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it has as many bytes as a batch may have.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The batch, after which the next one begins.
    ///
    /// # Errors
    /// Arrow refuses it.
    pub fn take(&mut self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(Arc::clone(&self.schema), self.columns.iter_mut().map(Cells::take).collect())
    }
}

/// What to add of a cell that has a fixed number of bytes.
fn fixed<const N: usize>(wire: &[u8]) -> Result<[u8; N], &'static str> {
    wire.try_into().map_err(|_| "Postgres sent a value of another type than it said")
}

fn text(wire: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(wire).map_err(|_| "Postgres sent a text that is not UTF-8")
}

/// Microseconds since 1970. What is infinite, or beyond the range, is the largest number, or the smallest but one, which is what DuckDB calls
/// infinite too.
fn microseconds(wire: i64) -> i64 {
    if wire == i64::MIN { -i64::MAX } else { PgTimestamp::from_wire(wire).0 }
}

/// The same of days.
fn days(wire: i32) -> i32 {
    if wire == i32::MIN { -i32::MAX } else { PgDate::from_wire(wire).0 }
}

/// Adds a cell to a column of lists.
macro_rules! push_list {
    ($builder:expr, $wire:expr, $element:expr) => {{
        let builder = $builder;
        if let Some(wire) = $wire {
            for element in elements(wire)? {
                builder.values().append_option(element.map($element).transpose()?);
            }
        }
        builder.append($wire.is_some());
    }};
}

impl Cells {
    fn of(cell_type: CellType) -> Self {
        let timestamp = || Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(cell_type.arrow()));
        match cell_type {
            CellType::Text => Self::Text(StringBuilder::new()),
            CellType::Bool => Self::Bool(BooleanBuilder::new()),
            CellType::I16 => Self::I16(Int16Builder::new()),
            CellType::I32 => Self::I32(Int32Builder::new()),
            CellType::I64 => Self::I64(Int64Builder::new()),
            CellType::F32 => Self::F32(Float32Builder::new()),
            CellType::F64 => Self::F64(Float64Builder::new()),
            CellType::Timestamp | CellType::LocalTimestamp => timestamp(),
            CellType::Date => Self::Date(Date32Builder::new()),
            CellType::Time => Self::Time(Time64MicrosecondBuilder::new()),
            CellType::Bytes => Self::Bytes(BinaryBuilder::new()),
            CellType::Texts => Self::Texts(ListBuilder::new(StringBuilder::new())),
            CellType::I64s => Self::I64s(ListBuilder::new(Int64Builder::new())),
            CellType::F64s => Self::F64s(ListBuilder::new(Float64Builder::new())),
        }
    }

    fn push(&mut self, wire: Option<&[u8]>) -> Result<(), &'static str> {
        let i64_of = |wire: &[u8]| Ok::<_, &'static str>(i64::from_be_bytes(fixed(wire)?));
        let f64_of = |wire: &[u8]| Ok::<_, &'static str>(f64::from_be_bytes(fixed(wire)?));
        match self {
            Self::Text(cells) => cells.append_option(wire.map(text).transpose()?),
            Self::Bool(cells) => {
                let bool = |wire| Ok::<_, &'static str>(u8::from_be_bytes(fixed(wire)?) != 0);
                cells.append_option(wire.map(bool).transpose()?);
            }
            Self::I16(cells) => {
                let number = |wire| Ok::<_, &'static str>(i16::from_be_bytes(fixed(wire)?));
                cells.append_option(wire.map(number).transpose()?);
            }
            Self::I32(cells) => {
                let number = |wire| Ok::<_, &'static str>(i32::from_be_bytes(fixed(wire)?));
                cells.append_option(wire.map(number).transpose()?);
            }
            Self::I64(cells) => cells.append_option(wire.map(i64_of).transpose()?),
            Self::F32(cells) => {
                let number = |wire| Ok::<_, &'static str>(f32::from_be_bytes(fixed(wire)?));
                cells.append_option(wire.map(number).transpose()?);
            }
            Self::F64(cells) => cells.append_option(wire.map(f64_of).transpose()?),
            Self::Timestamp(cells) => cells.append_option(wire.map(i64_of).transpose()?.map(microseconds)),
            Self::Date(cells) => {
                let day = |wire| Ok::<_, &'static str>(days(i32::from_be_bytes(fixed(wire)?)));
                cells.append_option(wire.map(day).transpose()?);
            }
            Self::Time(cells) => cells.append_option(wire.map(i64_of).transpose()?),
            Self::Bytes(cells) => cells.append_option(wire),
            Self::Texts(cells) => push_list!(cells, wire, text),
            Self::I64s(cells) => push_list!(cells, wire, i64_of),
            Self::F64s(cells) => push_list!(cells, wire, f64_of),
        }
        Ok(())
    }

    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Bool(cells) => Arc::new(cells.finish()),
            Self::I16(cells) => Arc::new(cells.finish()),
            Self::I32(cells) => Arc::new(cells.finish()),
            Self::I64(cells) => Arc::new(cells.finish()),
            Self::F32(cells) => Arc::new(cells.finish()),
            Self::F64(cells) => Arc::new(cells.finish()),
            Self::Timestamp(cells) => Arc::new(cells.finish()),
            Self::Date(cells) => Arc::new(cells.finish()),
            Self::Time(cells) => Arc::new(cells.finish()),
            Self::Bytes(cells) => Arc::new(cells.finish()),
            Self::Texts(cells) => Arc::new(cells.finish()),
            Self::I64s(cells) => Arc::new(cells.finish()),
            Self::F64s(cells) => Arc::new(cells.finish()),
        }
    }
}
