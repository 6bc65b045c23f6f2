//! The world of projections.

use std::marker::PhantomData;

use gnomon_values::description;

pub use super::generated::export_projection;
use super::{
    convert::{events, sdk},
    generated::exports::gnomon::module::projection_guest as guest,
};
use crate::{
    Events, Partition, Projection, Tables, guest as module,
    schema::{ColumnType, IndexKind, IndexSchema, TableSchema, Weight},
};

/// The component of a projection that the crate `C` exports.
#[derive(Debug)]
pub struct Component<P, C>(PhantomData<(P, C)>);

/// The crate of a module.
pub trait Package: 'static {
    /// What it says of its projection: the doc comment in `export!`, or the `description` of its Cargo.toml.
    const DESCRIPTION: &'static str;
}

impl<P: Projection, C: Package> guest::Guest for Component<P, C> {
    fn describe() -> guest::Descriptor {
        let description = description::first_paragraph(C::DESCRIPTION);
        guest::Descriptor {
            sdk: sdk(),
            description: (!description.is_empty()).then_some(description),
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
            tags: names(P::TAGS),
            partitioned_by: P::PARTITIONED_BY.map(|partition| match partition {
                Partition::Stream => guest::Partition::Stream,
            }),
        }
    }

    fn handle(batch: guest::Batch) -> Result<(), guest::Failure> {
        module::handle::<P>(events(batch))
            .map_err(|failure| guest::Failure { position: failure.position, message: failure.message })
    }
}

fn table(schema: TableSchema) -> guest::Table {
    let columns = schema.columns.iter().map(|column| guest::Column {
        name: column.name.to_owned(),
        description: column.description.map(str::to_owned),
        column_type: column_type(column.column_type),
        nullable: column.nullable,
    });
    let references = schema
        .references
        .iter()
        .map(|reference| guest::Reference { columns: names(reference.columns), table: reference.table.to_owned() });
    guest::Table {
        name: schema.name.to_owned(),
        description: schema.description.map(str::to_owned),
        columns: columns.collect(),
        key: names(schema.key),
        indexes: schema.indexes.iter().map(index).collect(),
        references: references.collect(),
    }
}

fn index(schema: &IndexSchema) -> guest::Index {
    let kind = match schema.kind {
        IndexKind::Btree(columns) => guest::IndexKind::Btree(names(columns)),
        IndexKind::Gin(columns) => guest::IndexKind::Gin(names(columns)),
        IndexKind::FullText { language, columns } => guest::IndexKind::FullText(guest::FullText {
            language: language.to_owned(),
            columns: columns
                .iter()
                .map(|(column, weight)| guest::WeightedColumn {
                    column: (*column).to_owned(),
                    weight: match weight {
                        Weight::A => guest::Weight::A,
                        Weight::B => guest::Weight::B,
                        Weight::C => guest::Weight::C,
                        Weight::D => guest::Weight::D,
                    },
                })
                .collect(),
        }),
    };
    guest::Index { name: schema.name.to_owned(), kind }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn column_type(column_type: ColumnType) -> guest::ColumnType {
    match column_type {
        ColumnType::Text => guest::ColumnType::Text,
        ColumnType::CiText => guest::ColumnType::CaseInsensitiveText,
        ColumnType::Bool => guest::ColumnType::Boolean,
        ColumnType::I64 => guest::ColumnType::Int64,
        ColumnType::F64 => guest::ColumnType::Float64,
        ColumnType::Decimal => guest::ColumnType::Decimal,
        ColumnType::Timestamp => guest::ColumnType::Timestamp,
        ColumnType::LocalTimestamp => guest::ColumnType::LocalTimestamp,
        ColumnType::Date => guest::ColumnType::Date,
        ColumnType::Time => guest::ColumnType::TimeOfDay,
        ColumnType::Uuid => guest::ColumnType::Uuid,
        ColumnType::Json => guest::ColumnType::Json,
        ColumnType::Bytes => guest::ColumnType::Bytes,
        ColumnType::TextArray => guest::ColumnType::TextArray,
        ColumnType::I64Array => guest::ColumnType::Int64Array,
        ColumnType::F64Array => guest::ColumnType::Float64Array,
        ColumnType::UuidArray => guest::ColumnType::UuidArray,
    }
}
