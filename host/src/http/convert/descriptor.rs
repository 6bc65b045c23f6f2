//! Descriptors of modules.

use crate::{
    api,
    event_log::SchemaVersion,
    read_model::{
        ColumnDeclaration, ColumnType, IndexDeclaration, IndexKindDeclaration, ReferenceDeclaration, TableDeclaration,
        Weight, WeightedColumn,
    },
    runtime::{
        Descriptor, ModuleKind, Partition, ProjectionDescriptor, ReactorDescriptor, Sdk, Step, UpcasterDescriptor,
        WantedType,
    },
};

impl From<ModuleKind> for api::ModuleKind {
    fn from(kind: ModuleKind) -> Self {
        match kind {
            ModuleKind::Projection => Self::Projection,
            ModuleKind::Upcaster => Self::Upcaster,
            ModuleKind::Reactor => Self::Reactor,
        }
    }
}

impl From<Descriptor> for api::Descriptor {
    fn from(descriptor: Descriptor) -> Self {
        match descriptor {
            Descriptor::Projection(projection) => Self::Projection(projection.into()),
            Descriptor::Upcaster(upcaster) => Self::Upcaster(upcaster.into()),
            Descriptor::Reactor(reactor) => Self::Reactor(reactor.into()),
        }
    }
}

impl From<ProjectionDescriptor> for api::ProjectionDescriptor {
    fn from(projection: ProjectionDescriptor) -> Self {
        let ProjectionDescriptor { sdk, description, tables, all_types, event_types, categories, tags, partitioned_by } =
            projection;
        Self {
            sdk: sdk.into(),
            description,
            tables: tables.into_iter().map(Into::into).collect(),
            all_types,
            event_types: event_types.into_iter().map(Into::into).collect(),
            categories,
            tags,
            partitioned_by: partitioned_by.map(Into::into),
        }
    }
}

impl From<ReactorDescriptor> for api::ReactorDescriptor {
    fn from(reactor: ReactorDescriptor) -> Self {
        let ReactorDescriptor { sdk, description, tables, all_types, event_types, categories, tags, sinks } = reactor;
        Self {
            sdk: sdk.into(),
            description,
            tables: tables.into_iter().map(Into::into).collect(),
            all_types,
            event_types: event_types.into_iter().map(Into::into).collect(),
            categories,
            tags,
            sinks,
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

impl From<Sdk> for api::Sdk {
    fn from(Sdk { name, version, language }: Sdk) -> Self {
        Self { name, version, language }
    }
}

impl From<TableDeclaration> for api::TableDescriptor {
    fn from(table: TableDeclaration) -> Self {
        let TableDeclaration { name, description, columns, key, indexes, references } = table;
        Self {
            name,
            description,
            columns: columns.into_iter().map(Into::into).collect(),
            key,
            indexes: indexes.into_iter().map(Into::into).collect(),
            references: references.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ColumnDeclaration> for api::ColumnDescriptor {
    fn from(ColumnDeclaration { name, description, column_type, nullable }: ColumnDeclaration) -> Self {
        Self { name, description, column_type: column_type.into(), nullable }
    }
}

impl From<IndexDeclaration> for api::IndexDescriptor {
    fn from(IndexDeclaration { name, kind }: IndexDeclaration) -> Self {
        let (kind, columns, language, weights) = match kind {
            IndexKindDeclaration::Btree { columns } => (api::IndexKind::Btree, columns, None, None),
            IndexKindDeclaration::Gin { columns } => (api::IndexKind::Gin, columns, None, None),
            IndexKindDeclaration::FullText { language, columns } => {
                let weighted = columns.into_iter().map(|WeightedColumn { column, weight }| (column, weight.into()));
                let (columns, weights) = weighted.unzip();
                (api::IndexKind::FullText, columns, Some(language), Some(weights))
            }
        };
        Self { name, kind, columns, language, weights }
    }
}

impl From<Weight> for api::Weight {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::A => Self::A,
            Weight::B => Self::B,
            Weight::C => Self::C,
            Weight::D => Self::D,
        }
    }
}

impl From<ReferenceDeclaration> for api::ReferenceDescriptor {
    fn from(ReferenceDeclaration { columns, table }: ReferenceDeclaration) -> Self {
        Self { columns, table }
    }
}

impl From<ColumnType> for api::ColumnType {
    fn from(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Text => Self::Text,
            ColumnType::CiText => Self::CiText,
            ColumnType::Bool => Self::Bool,
            ColumnType::I64 => Self::I64,
            ColumnType::F64 => Self::F64,
            ColumnType::Decimal => Self::Decimal,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::LocalTimestamp => Self::LocalTimestamp,
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Json => Self::Json,
            ColumnType::Bytes => Self::Bytes,
            ColumnType::TextArray => Self::TextArray,
            ColumnType::I64Array => Self::I64Array,
            ColumnType::F64Array => Self::F64Array,
            ColumnType::UuidArray => Self::UuidArray,
        }
    }
}

impl From<UpcasterDescriptor> for api::UpcasterDescriptor {
    fn from(UpcasterDescriptor { sdk, steps }: UpcasterDescriptor) -> Self {
        Self { sdk: sdk.into(), steps: steps.into_iter().map(Into::into).collect() }
    }
}

impl From<Step> for api::UpcasterStep {
    fn from(Step { event_type, from, to, produces }: Step) -> Self {
        Self { event_type, from: from.get(), to: to.get(), produces }
    }
}
