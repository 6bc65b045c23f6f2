//! The contract of `wit/` in Rust. This file alone knows the generated types; the rest of the crate has its own.

pub(crate) mod upcaster;

use std::marker::PhantomData;

use uuid::Uuid;

use self::bindings::{
    exports::gnomon::module::projection_guest as guest,
    gnomon::module::{cursor, log as host_log, read_model, types},
};
use crate::{
    Events, Failure, Partition, Projection, Tables,
    event::RawEvent,
    guest as module,
    host::Host,
    log::Level,
    schema::{ColumnType, Float, TableSchema, Value},
};

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/v0.1.0",
        world: "projection",
        pub_export_macro: true,
        export_macro_name: "export_projection",
    });
}

pub use self::bindings::export_projection;

/// The component that a projection makes.
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

impl<P: Projection> guest::Guest for Component<P> {
    fn describe() -> guest::Descriptor {
        guest::Descriptor {
            tables: P::Tables::schemas().into_iter().map(table).collect(),
            all_types: P::Event::ALL_TYPES,
            event_types: P::Event::WANTED
                .iter()
                .map(|wanted| guest::WantedType {
                    event_type: wanted.event_type.to_owned(),
                    schema_version: wanted.schema_version,
                })
                .collect(),
            categories: names(P::CATEGORIES),
            partitioned_by: P::PARTITIONED_BY.map(|partition| match partition {
                Partition::Stream => guest::Partition::Stream,
            }),
        }
    }

    fn handle(events: Vec<guest::Event>) -> Result<(), guest::Failure> {
        module::handle::<P>(events.into_iter().map(event).collect())
            .map_err(|failure| guest::Failure { position: failure.position, message: failure.message })
    }
}

/// The imports of the component.
pub(crate) struct Imports;

impl Host for Imports {
    fn turn_to(&mut self, position: u64) {
        turn_to(position);
    }

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<Vec<Option<Vec<Value>>>, Failure> {
        let rows = read_model::get_many(table, &cells_of_all(keys));
        Ok(rows.into_iter().map(|row| row.map(values)).collect())
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Failure> {
        read_model::put_many(table, &cells_of_all(rows));
        Ok(())
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<(), Failure> {
        read_model::delete_many(table, &cells_of_all(keys));
        Ok(())
    }

    fn find(
        &mut self,
        table: &'static str,
        index: &'static str,
        wanted: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Failure> {
        let rows = read_model::find(table, index, &cells(wanted));
        Ok(rows.into_iter().map(values).collect())
    }
}

pub(crate) fn turn_to(position: u64) {
    cursor::at(position);
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => host_log::Level::Trace,
        Level::Debug => host_log::Level::Debug,
        Level::Info => host_log::Level::Info,
        Level::Warn => host_log::Level::Warn,
        Level::Error => host_log::Level::Error,
    };
    host_log::write(level, message);
}

fn event(event: guest::Event) -> RawEvent {
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

fn table(schema: TableSchema) -> guest::Table {
    let columns = schema.columns.iter().map(|column| guest::Column {
        name: column.name.to_owned(),
        column_type: column_type(column.column_type),
        nullable: column.nullable,
    });
    let indexes =
        schema.indexes.iter().map(|index| guest::Index { name: index.name.to_owned(), columns: names(index.columns) });
    guest::Table {
        name: schema.name.to_owned(),
        columns: columns.collect(),
        key: names(schema.key),
        indexes: indexes.collect(),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn column_type(column_type: ColumnType) -> guest::ColumnType {
    match column_type {
        ColumnType::Text => guest::ColumnType::Text,
        ColumnType::Bool => guest::ColumnType::Boolean,
        ColumnType::I64 => guest::ColumnType::Int64,
        ColumnType::F64 => guest::ColumnType::Float64,
        ColumnType::Decimal => guest::ColumnType::Decimal,
        ColumnType::Timestamp => guest::ColumnType::Timestamp,
        ColumnType::Date => guest::ColumnType::Date,
        ColumnType::Uuid => guest::ColumnType::Uuid,
        ColumnType::Json => guest::ColumnType::Json,
        ColumnType::Bytes => guest::ColumnType::Bytes,
    }
}

fn cells_of_all(rows: Vec<Vec<Value>>) -> Vec<Vec<types::Value>> {
    rows.into_iter().map(cells).collect()
}

fn cells(values: Vec<Value>) -> Vec<types::Value> {
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

fn values(cells: Vec<types::Value>) -> Vec<Value> {
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
