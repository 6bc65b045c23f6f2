//! Converts what modules declare: their SDK, the events that they want, and their tables.

use super::{
    bindings::{tables as contract, types},
    descriptor::{Sdk, WantedType},
};
use crate::{
    event_log::SchemaVersion,
    read_model::{
        ColumnDeclaration, ColumnType, IndexDeclaration, IndexKindDeclaration, ReferenceDeclaration, TableDeclaration,
        Weight, WeightedColumn,
    },
};

/// What a module says of its SDK.
pub(super) fn sdk(sdk: types::Sdk) -> Sdk {
    let types::Sdk { name, version, language } = sdk;
    Sdk { name, version, language }
}

/// The event types that a module names.
///
/// # Errors
/// A message for each schema version that is out of range.
pub(super) fn wanted_types(named: Vec<types::WantedType>) -> Result<Vec<WantedType>, Vec<String>> {
    let mut reasons = Vec::new();
    let mut wanted = Vec::with_capacity(named.len());
    for types::WantedType { event_type, schema_version } in named {
        match schema_version.map(SchemaVersion::try_from).transpose() {
            Ok(schema_version) => wanted.push(WantedType { event_type, schema_version }),
            Err(error) => reasons.push(format!("event type `{event_type}`: {error}")),
        }
    }
    if reasons.is_empty() { Ok(wanted) } else { Err(reasons) }
}

/// The tables that a module declares.
pub(super) fn tables(tables: Vec<contract::Table>) -> Vec<TableDeclaration> {
    tables.into_iter().map(table).collect()
}

fn table(table: contract::Table) -> TableDeclaration {
    let columns = table.columns.into_iter().map(|column| ColumnDeclaration {
        name: column.name,
        description: column.description,
        column_type: match column.column_type {
            contract::ColumnType::Text => ColumnType::Text,
            contract::ColumnType::CaseInsensitiveText => ColumnType::CiText,
            contract::ColumnType::Boolean => ColumnType::Bool,
            contract::ColumnType::Int64 => ColumnType::I64,
            contract::ColumnType::Float64 => ColumnType::F64,
            contract::ColumnType::Decimal => ColumnType::Decimal,
            contract::ColumnType::Timestamp => ColumnType::Timestamp,
            contract::ColumnType::LocalTimestamp => ColumnType::LocalTimestamp,
            contract::ColumnType::Date => ColumnType::Date,
            contract::ColumnType::TimeOfDay => ColumnType::Time,
            contract::ColumnType::Uuid => ColumnType::Uuid,
            contract::ColumnType::Json => ColumnType::Json,
            contract::ColumnType::Bytes => ColumnType::Bytes,
            contract::ColumnType::TextArray => ColumnType::TextArray,
            contract::ColumnType::Int64Array => ColumnType::I64Array,
            contract::ColumnType::Float64Array => ColumnType::F64Array,
            contract::ColumnType::UuidArray => ColumnType::UuidArray,
        },
        nullable: column.nullable,
    });
    let references = table
        .references
        .into_iter()
        .map(|contract::Reference { columns, table }| ReferenceDeclaration { columns, table });
    TableDeclaration {
        name: table.name,
        description: table.description,
        columns: columns.collect(),
        key: table.key,
        indexes: table.indexes.into_iter().map(index).collect(),
        references: references.collect(),
    }
}

fn index(index: contract::Index) -> IndexDeclaration {
    let kind = match index.kind {
        contract::IndexKind::Btree(columns) => IndexKindDeclaration::Btree { columns },
        contract::IndexKind::Gin(columns) => IndexKindDeclaration::Gin { columns },
        contract::IndexKind::FullText(contract::FullText { language, columns }) => {
            IndexKindDeclaration::FullText { language, columns: columns.into_iter().map(weighted).collect() }
        }
    };
    IndexDeclaration { name: index.name, kind }
}

fn weighted(column: contract::WeightedColumn) -> WeightedColumn {
    let weight = match column.weight {
        contract::Weight::A => Weight::A,
        contract::Weight::B => Weight::B,
        contract::Weight::C => Weight::C,
        contract::Weight::D => Weight::D,
    };
    WeightedColumn { column: column.column, weight }
}
