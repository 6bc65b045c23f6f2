//! The world of projections.

use std::marker::PhantomData;

pub use super::generated::export_projection;
use super::{convert::event, generated::exports::gnomon::module::projection_guest as guest};
use crate::{
    Events, Partition, Projection, Tables, guest as module,
    schema::{ColumnType, TableSchema},
};

/// The component of a projection.
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
