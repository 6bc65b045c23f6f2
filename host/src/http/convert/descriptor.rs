//! Descriptors of modules.

use crate::{
    api,
    event_log::SchemaVersion,
    read_model::{ColumnDeclaration, ColumnType, IndexDeclaration, TableDeclaration},
    runtime::{Descriptor, ModuleKind, Partition, ProjectionDescriptor, Step, UpcasterDescriptor, WantedType},
};

impl From<ModuleKind> for api::ModuleKind {
    fn from(kind: ModuleKind) -> Self {
        match kind {
            ModuleKind::Projection => Self::Projection,
            ModuleKind::Upcaster => Self::Upcaster,
        }
    }
}

impl From<Descriptor> for api::Descriptor {
    fn from(descriptor: Descriptor) -> Self {
        match descriptor {
            Descriptor::Projection(projection) => Self::Projection(projection.into()),
            Descriptor::Upcaster(upcaster) => Self::Upcaster(upcaster.into()),
        }
    }
}

impl From<ProjectionDescriptor> for api::ProjectionDescriptor {
    fn from(projection: ProjectionDescriptor) -> Self {
        let ProjectionDescriptor { tables, all_types, event_types, categories, partitioned_by } = projection;
        Self {
            tables: tables.into_iter().map(Into::into).collect(),
            all_types,
            event_types: event_types.into_iter().map(Into::into).collect(),
            categories,
            partitioned_by: partitioned_by.map(Into::into),
        }
    }
}

impl From<Partition> for api::Partition {
    fn from(partition: Partition) -> Self {
        match partition {
            Partition::Stream => Self::Stream,
        }
    }
}

impl From<WantedType> for api::WantedType {
    fn from(WantedType { event_type, schema_version }: WantedType) -> Self {
        Self { event_type, schema_version: schema_version.map(SchemaVersion::get) }
    }
}

impl From<TableDeclaration> for api::TableDescriptor {
    fn from(TableDeclaration { name, columns, key, indexes }: TableDeclaration) -> Self {
        Self {
            name,
            columns: columns.into_iter().map(Into::into).collect(),
            key,
            indexes: indexes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ColumnDeclaration> for api::ColumnDescriptor {
    fn from(ColumnDeclaration { name, column_type, nullable }: ColumnDeclaration) -> Self {
        Self { name, column_type: column_type.into(), nullable }
    }
}

impl From<IndexDeclaration> for api::IndexDescriptor {
    fn from(IndexDeclaration { name, columns }: IndexDeclaration) -> Self {
        Self { name, columns }
    }
}

impl From<ColumnType> for api::ColumnType {
    fn from(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text => Self::Text,
            ColumnType::Bool => Self::Bool,
            ColumnType::I64 => Self::I64,
            ColumnType::F64 => Self::F64,
            ColumnType::Decimal => Self::Decimal,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::Date => Self::Date,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Json => Self::Json,
            ColumnType::Bytes => Self::Bytes,
        }
    }
}

impl From<UpcasterDescriptor> for api::UpcasterDescriptor {
    fn from(UpcasterDescriptor { steps }: UpcasterDescriptor) -> Self {
        Self { steps: steps.into_iter().map(Into::into).collect() }
    }
}

impl From<Step> for api::UpcasterStep {
    fn from(Step { event_type, from, to }: Step) -> Self {
        Self { event_type, from: from.get(), to: to.get() }
    }
}
