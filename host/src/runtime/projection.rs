//! A projection, compiled and checked, and its instances.

use std::sync::Arc;

use wasmtime::{Store, component::InstancePre};

use super::{
    bindings::projection::{
        Projection as Bindings, ProjectionPre, exports::gnomon::module::projection_guest as contract,
        gnomon::module::types::Event,
    },
    convert::event_to_module,
    delivery::Delivery,
    descriptor::{Partition, ProjectionDescriptor, WantedType},
    failure::{BatchError, batch_error, refusal},
    limits::RuntimeLimits,
    module::ModuleLabel,
    start::start,
    state::{GuestState, RowReader},
};
use crate::{
    event_log::Position,
    read_model::{ColumnDeclaration, ColumnType, IndexDeclaration, Table, TableDeclaration, WriteSet},
};

/// A projection that can be run. Clones are handles on one compiled module.
#[derive(Clone)]
pub struct ProjectionModule {
    shared: Arc<Shared>,
}

struct Shared {
    label: Arc<ModuleLabel>,
    limits: RuntimeLimits,
    pre: ProjectionPre<GuestState>,
    descriptor: ProjectionDescriptor,
    tables: Vec<Arc<Table>>,
}

/// An instance of a projection: its memory. What it keeps there from batch to batch is worth no more than the rows that it
/// wrote; an instance whose batch was not committed must be dropped.
pub struct ProjectionInstance {
    module: ProjectionModule,
    store: Store<GuestState>,
    bindings: Bindings,
}

impl ProjectionModule {
    /// Calls `describe` and checks what it says.
    pub(super) fn describe(
        pre: InstancePre<GuestState>,
        label: Arc<ModuleLabel>,
        limits: RuntimeLimits,
    ) -> Result<Self, Vec<String>> {
        let pre = ProjectionPre::new(pre).map_err(|error| vec![format!("{error:#}")])?;
        let (mut store, bindings) = start(pre.engine(), &label, limits, 0, |store| pre.instantiate(store))
            .map_err(|error| vec![error.without_event()])?;
        store.data_mut().begin(Vec::new());
        let descriptor = bindings.gnomon_module_projection_guest().call_describe(&mut store).map_err(|error| {
            let last_words = store.data().output.last_words();
            vec![format!("its `describe` failed: {}", batch_error(error, 0, last_words).without_event())]
        })?;
        let descriptor = from_contract(descriptor);
        let tables = descriptor.check(&label.name)?;
        Ok(Self { shared: Arc::new(Shared { label, limits, pre, descriptor, tables }) })
    }

    /// What the projection says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &ProjectionDescriptor {
        &self.shared.descriptor
    }

    /// The tables that it declares.
    #[must_use]
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.shared.tables
    }

    /// Its name and version.
    #[must_use]
    pub fn label(&self) -> &ModuleLabel {
        &self.shared.label
    }

    /// Makes an instance with fresh memory, to begin at the event at a position. Blocks: the module may compute.
    ///
    /// # Errors
    /// There is no room for one now, or its start fails, which is blamed on the event.
    pub fn instantiate(&self, position: Position) -> Result<ProjectionInstance, BatchError> {
        let shared = &self.shared;
        let instantiate = |store: &mut Store<GuestState>| shared.pre.instantiate(store);
        let (store, bindings) = start(shared.pre.engine(), &shared.label, shared.limits, position.0, instantiate)?;
        Ok(ProjectionInstance { module: self.clone(), store, bindings })
    }
}

impl std::fmt::Debug for ProjectionModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionModule").field("label", &self.shared.label).finish_non_exhaustive()
    }
}

impl ProjectionInstance {
    /// Handles events, at least one, in the order of their positions; answers what they change. Blocks: it computes, and
    /// `rows` may wait.
    ///
    /// # Errors
    /// Nothing is changed, and the instance is no longer of use.
    pub fn handle(&mut self, events: &[Delivery], rows: Box<dyn RowReader>) -> Result<WriteSet, BatchError> {
        let moments = events.iter().map(|event| (event.position.0, event.time)).collect();
        let lowered: Vec<Event<'_>> = events.iter().map(event_to_module).collect();
        self.store.data_mut().begin(moments);
        self.store.data_mut().lend_rows(&self.module.shared.tables, rows);
        // Let the deadline's clock be looked at at the next tick.
        self.store.set_epoch_deadline(1);

        let answer = self.bindings.gnomon_module_projection_guest().call_handle(&mut self.store, &lowered);
        let state = self.store.data_mut();
        let writes = state.take_writes();
        let position = state.position();
        match answer {
            Ok(Ok(())) => Ok(writes.unwrap_or_else(|| WriteSet::new(&self.module.shared.tables))),
            Ok(Err(failure)) => {
                let known = events.iter().any(|event| event.position.0 == failure.position);
                Err(refusal(failure, known, position))
            }
            Err(error) => Err(batch_error(error, position, state.output.last_words())),
        }
    }
}

impl std::fmt::Debug for ProjectionInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionInstance").field("module", &self.module).finish_non_exhaustive()
    }
}

fn from_contract(descriptor: contract::Descriptor) -> ProjectionDescriptor {
    ProjectionDescriptor {
        tables: descriptor.tables.into_iter().map(table).collect(),
        all_types: descriptor.all_types,
        event_types: descriptor
            .event_types
            .into_iter()
            .map(|wanted| WantedType { event_type: wanted.event_type, schema_version: wanted.schema_version })
            .collect(),
        categories: descriptor.categories,
        partitioned_by: descriptor.partitioned_by.map(|contract::Partition::Stream| Partition::Stream),
    }
}

fn table(table: contract::Table) -> TableDeclaration {
    let columns = table.columns.into_iter().map(|column| ColumnDeclaration {
        name: column.name,
        column_type: match column.column_type {
            contract::ColumnType::Text => ColumnType::Text,
            contract::ColumnType::Boolean => ColumnType::Bool,
            contract::ColumnType::Int64 => ColumnType::I64,
            contract::ColumnType::Float64 => ColumnType::F64,
            contract::ColumnType::Decimal => ColumnType::Decimal,
            contract::ColumnType::Timestamp => ColumnType::Timestamp,
            contract::ColumnType::Date => ColumnType::Date,
            contract::ColumnType::Uuid => ColumnType::Uuid,
            contract::ColumnType::Json => ColumnType::Json,
            contract::ColumnType::Bytes => ColumnType::Bytes,
        },
        nullable: column.nullable,
    });
    let indexes = table.indexes.into_iter().map(|index| IndexDeclaration { name: index.name, columns: index.columns });
    TableDeclaration { name: table.name, columns: columns.collect(), key: table.key, indexes: indexes.collect() }
}
