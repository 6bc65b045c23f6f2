//! The world of projections: events in, rows out.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Store, component::InstancePre};

use self::generated::{Projection as Exports, ProjectionPre, exports::gnomon::module::projection_guest as contract};
use super::{
    guest::Guest,
    program::{Program, Running},
    world::{Signature, World},
};
use crate::{
    event_log::Position,
    read_model::{Table, WriteSet},
    runtime::{
        declared,
        delivery::Delivery,
        descriptor::{ModuleKind, Partition, ProjectionDescriptor},
        descriptor_size,
        failure::BatchError,
        imports::{
            cursor,
            import::Import,
            log,
            read_model::{self, ReadModel},
        },
        invalid::CannotLoad,
        label::ModuleLabel,
        limits::RuntimeLimits,
        row_reader::RowReader,
        sandbox::host_memory::HostMemory,
    },
};

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.2.0",
        world: "projection",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "gnomon:module/cursor": crate::runtime::bindings::cursor,
            "gnomon:module/log": crate::runtime::bindings::log,
            "gnomon:module/read-model": crate::runtime::bindings::read_model,
            "gnomon:module/tables": crate::runtime::bindings::tables,
            "gnomon:module/types": crate::runtime::bindings::types,
        },
    });
}

/// The world.
pub(in crate::runtime) struct Projection;

impl World for Projection {
    const SIGNATURE: Signature = Signature {
        with_article: ModuleKind::Projection.with_article(),
        version: "0.2.0",
        export: "gnomon:module/projection-guest",
        exported_by: "gnomon_sdk::export!",
        sees: "its events and its rows",
    };

    type State = ReadModel;

    fn state(limits: &RuntimeLimits) -> ReadModel {
        ReadModel::new(limits)
    }

    fn imports() -> Vec<Import<Guest<ReadModel>>> {
        vec![
            cursor::import(|guest| &mut guest.cursor),
            log::import(|guest| &mut guest.output),
            read_model::import(|guest| read_model::Call { rows: &mut guest.own, deadline: &mut guest.deadline }),
        ]
    }

    type Linked = ProjectionPre<Guest<ReadModel>>;
    type Exports = Exports;

    fn link(component: InstancePre<Guest<ReadModel>>) -> wasmtime::Result<Self::Linked> {
        ProjectionPre::new(component)
    }

    fn instantiate(component: &Self::Linked, store: &mut Store<Guest<ReadModel>>) -> wasmtime::Result<Exports> {
        component.instantiate(store)
    }
}

/// A projection that can be run. Clones are handles on one compiled module.
#[derive(Clone)]
pub struct ProjectionModule {
    shared: Arc<Shared>,
}

struct Shared {
    program: Program<Projection>,
    descriptor: ProjectionDescriptor,
    tables: Vec<Arc<Table>>,
}

/// An instance of a projection. Its memory caches rows from batch to batch, so an instance whose batch was not committed must be
/// dropped.
pub struct ProjectionInstance {
    module: ProjectionModule,
    running: Running<Projection>,
}

impl ProjectionModule {
    /// Calls `describe` and checks the descriptor.
    pub(in crate::runtime) fn describe(program: Program<Projection>) -> Result<Self, CannotLoad> {
        let descriptor =
            program.describe(|exports, store| exports.gnomon_module_projection_guest().call_describe(store))?;
        let descriptor = from_contract(descriptor)?;
        let tables = descriptor.check(&program.label().name)?;
        Ok(Self { shared: Arc::new(Shared { program, descriptor, tables }) })
    }

    /// What the projection declares.
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
        self.shared.program.label()
    }

    /// The memory that its instances share with all others of the host.
    #[must_use]
    pub fn memory(&self) -> &HostMemory {
        self.shared.program.memory()
    }

    /// Makes an instance with fresh memory, whose first event is the one at `position`. Blocks: the module may compute.
    ///
    /// # Errors
    /// The host cannot start another instance now, or the module fails as it starts, which is attributed to that event.
    pub fn instantiate(&self, position: Position) -> Result<ProjectionInstance, BatchError> {
        let running = self.shared.program.start().map_err(|error| error.at(position))?;
        Ok(ProjectionInstance { module: self.clone(), running })
    }
}

impl std::fmt::Debug for ProjectionModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionModule").field("label", self.label()).finish_non_exhaustive()
    }
}

impl ProjectionInstance {
    /// Handles events, at least one, in the order of their positions, and answers what they change. Blocks: it computes, and
    /// `rows` may wait.
    ///
    /// # Errors
    /// The batch changes nothing, and the instance must be dropped.
    pub fn handle<E: Borrow<Delivery>>(
        &mut self,
        events: &[E],
        rows: Box<dyn RowReader>,
    ) -> Result<WriteSet, BatchError> {
        let tables = &self.module.shared.tables;
        self.running.state().begin_batch(tables, rows);
        let answer = self
            .running
            .call(events, |exports, store, events| exports.gnomon_module_projection_guest().call_handle(store, events));
        let writes = self.running.state().take_writes();
        answer.map(|()| writes.unwrap_or_else(|| WriteSet::new(tables)))
    }
}

impl std::fmt::Debug for ProjectionInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectionInstance").field("module", &self.module).finish_non_exhaustive()
    }
}

/// # Errors
/// It wants too much, or there is a message for each schema version that is out of range.
fn from_contract(descriptor: contract::Descriptor) -> Result<ProjectionDescriptor, Vec<String>> {
    let counts = (descriptor.event_types.len(), descriptor.categories.len(), descriptor.tags.len());
    descriptor_size::check_wanted(counts.0, counts.1, counts.2).map_err(|reason| vec![reason])?;
    let event_types = declared::wanted_types(descriptor.event_types)?;
    Ok(ProjectionDescriptor {
        sdk: declared::sdk(descriptor.sdk),
        description: descriptor.description,
        tables: declared::tables(descriptor.tables),
        all_types: descriptor.all_types,
        event_types,
        categories: descriptor.categories,
        tags: descriptor.tags,
        partitioned_by: descriptor.partitioned_by.map(|contract::Partition::Stream| Partition::Stream),
    })
}
