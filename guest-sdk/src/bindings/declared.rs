//! What projections and reactors declare.

use gnomon_values::description;

use super::generated::gnomon::module::{tables as contract, types};
use crate::{
    Events, Tables,
    schema::{ColumnType, IndexKind, IndexSchema, TableSchema, Weight},
};

/// The crate of a module.
pub trait Package: 'static {
    /// What it says of its module: the doc comment in the macro that exports it, or the `description` of its Cargo.toml.
    const DESCRIPTION: &'static str;
}

/// The description of the module of a crate.
pub(super) fn description<C: Package>() -> Option<String> {
    let description = description::first_paragraph(C::DESCRIPTION);
    (!description.is_empty()).then_some(description)
}

/// The types of events that a module names.
pub(super) fn wanted_types<E: Events>() -> Vec<types::WantedType> {
    let wanted = E::WANTED.iter().map(|wanted| types::WantedType {
        event_type: wanted.event_type.to_owned(),
        schema_version: wanted.schema_version,
    });
    wanted.collect()
}

/// The tables of a module.
pub(super) fn tables<T: Tables>() -> Vec<contract::Table> {
    T::schemas().into_iter().map(table).collect()
}

fn table(schema: TableSchema) -> contract::Table {
    let columns = schema.columns.iter().map(|column| contract::Column {
        name: column.name.to_owned(),
        description: column.description.map(str::to_owned),
        column_type: column_type(column.column_type),
        nullable: column.nullable,
    });
    let references = schema
        .references
        .iter()
        .map(|reference| contract::Reference { columns: names(reference.columns), table: reference.table.to_owned() });
    contract::Table {
        name: schema.name.to_owned(),
        description: schema.description.map(str::to_owned),
        columns: columns.collect(),
        key: names(schema.key),
        indexes: schema.indexes.iter().map(index).collect(),
        references: references.collect(),
    }
}

fn index(schema: &IndexSchema) -> contract::Index {
    let kind = match schema.kind {
        IndexKind::Btree(columns) => contract::IndexKind::Btree(names(columns)),
        IndexKind::Gin(columns) => contract::IndexKind::Gin(names(columns)),
        IndexKind::FullText { language, columns } => contract::IndexKind::FullText(contract::FullText {
            language: language.to_owned(),
            columns: columns
                .iter()
                .map(|(column, weight)| contract::WeightedColumn {
                    column: (*column).to_owned(),
                    weight: match weight {
                        Weight::A => contract::Weight::A,
                        Weight::B => contract::Weight::B,
                        Weight::C => contract::Weight::C,
                        Weight::D => contract::Weight::D,
                    },
                })
                .collect(),
        }),
    };
    contract::Index { name: schema.name.to_owned(), kind }
}

pub(super) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn column_type(column_type: ColumnType) -> contract::ColumnType {
    match column_type {
        ColumnType::Text => contract::ColumnType::Text,
        ColumnType::CiText => contract::ColumnType::CaseInsensitiveText,
        ColumnType::Bool => contract::ColumnType::Boolean,
        ColumnType::I64 => contract::ColumnType::Int64,
        ColumnType::F64 => contract::ColumnType::Float64,
        ColumnType::Decimal => contract::ColumnType::Decimal,
        ColumnType::Timestamp => contract::ColumnType::Timestamp,
        ColumnType::LocalTimestamp => contract::ColumnType::LocalTimestamp,
        ColumnType::Date => contract::ColumnType::Date,
        ColumnType::Time => contract::ColumnType::TimeOfDay,
        ColumnType::Uuid => contract::ColumnType::Uuid,
        ColumnType::Json => contract::ColumnType::Json,
        ColumnType::Bytes => contract::ColumnType::Bytes,
        ColumnType::TextArray => contract::ColumnType::TextArray,
        ColumnType::I64Array => contract::ColumnType::Int64Array,
        ColumnType::F64Array => contract::ColumnType::Float64Array,
        ColumnType::UuidArray => contract::ColumnType::UuidArray,
    }
}
