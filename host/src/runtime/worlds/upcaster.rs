//! The world of upcasters: events of an older schema version in, events of a later one out.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Store, component::InstancePre};

use self::generated::{Upcaster as Exports, UpcasterPre, exports::gnomon::module::upcaster_guest as contract};
use super::{
    answer::{ReturnedEvent, Upcasted, check},
    guest::Guest,
    program::{Program, Running},
    world::{Signature, World},
};
use crate::{
    event_log::{Position, SchemaVersion},
    runtime::{
        declared,
        delivery::Delivery,
        descriptor::{ModuleKind, Step, UpcasterDescriptor},
        descriptor_size,
        failure::{BatchError, FailureKind, Fault},
        imports::{cursor, import::Import, log},
        invalid::CannotLoad,
        label::ModuleLabel,
        limits::RuntimeLimits,
        sandbox::host_memory::HostMemory,
    },
};

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.2.0",
        world: "upcaster",
        imports: { default: trappable },
        ownership: Borrowing { duplicate_if_necessary: true },
        with: {
            "gnomon:module/cursor": crate::runtime::bindings::cursor,
            "gnomon:module/log": crate::runtime::bindings::log,
            "gnomon:module/types": crate::runtime::bindings::types,
        },
    });
}

/// The world.
pub(in crate::runtime) struct Upcaster;

impl World for Upcaster {
    const SIGNATURE: Signature = Signature {
        with_article: ModuleKind::Upcaster.with_article(),
        version: "0.2.0",
        export: "gnomon:module/upcaster-guest",
        exported_by: "gnomon_sdk::export_upcaster!",
        sees: "its events",
    };

    type State = ();

    fn state(_: &RuntimeLimits) {}

    fn imports() -> Vec<Import<Guest<()>>> {
        vec![cursor::import(|guest| &mut guest.cursor), log::import(|guest| &mut guest.output)]
    }

    type Linked = UpcasterPre<Guest<()>>;
    type Exports = Exports;

    fn link(component: InstancePre<Guest<()>>) -> wasmtime::Result<Self::Linked> {
        UpcasterPre::new(component)
    }

    fn instantiate(component: &Self::Linked, store: &mut Store<Guest<()>>) -> wasmtime::Result<Exports> {
        component.instantiate(store)
    }
}

/// An upcaster that can be run. Clones are handles on one compiled module.
#[derive(Clone)]
pub struct UpcasterModule {
    shared: Arc<Shared>,
}

struct Shared {
    program: Program<Upcaster>,
    descriptor: UpcasterDescriptor,
}

/// An instance of an upcaster. An instance whose call failed must be dropped.
pub struct UpcasterInstance {
    module: UpcasterModule,
    running: Running<Upcaster>,
}

impl UpcasterModule {
    /// Calls `describe` and checks the descriptor.
    pub(in crate::runtime) fn describe(program: Program<Upcaster>) -> Result<Self, CannotLoad> {
        let descriptor =
            program.describe(|exports, store| exports.gnomon_module_upcaster_guest().call_describe(store))?;
        let descriptor = from_contract(descriptor)?;
        descriptor.check()?;
        Ok(Self { shared: Arc::new(Shared { program, descriptor }) })
    }

    /// What the upcaster declares.
    #[must_use]
    pub fn descriptor(&self) -> &UpcasterDescriptor {
        &self.shared.descriptor
    }

    /// The steps that it declares.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.shared.descriptor.steps
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
    pub fn instantiate(&self, position: Position) -> Result<UpcasterInstance, BatchError> {
        let running = self.shared.program.start().map_err(|error| error.at(position))?;
        Ok(UpcasterInstance { module: self.clone(), running })
    }
}

impl std::fmt::Debug for UpcasterModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpcasterModule").field("label", self.label()).finish_non_exhaustive()
    }
}

impl UpcasterInstance {
    /// Takes one step with each of these events, at least one. Each has the type and version at which one of the
    /// [steps](UpcasterModule::steps) begins, and they are in the order of their positions. Answers the results of each event, in
    /// the same order. Blocks: it computes.
    ///
    /// # Errors
    /// The instance must be dropped.
    pub fn upcast<E: Borrow<Delivery>>(&mut self, events: &[E]) -> Result<Vec<Vec<Upcasted>>, BatchError> {
        let answer = self
            .running
            .call(events, |exports, store, events| exports.gnomon_module_upcaster_guest().call_upcast(store, events))?;
        let answer = answer.into_iter().map(|events| events.into_iter().map(returned).collect()).collect();
        let shared = &self.module.shared;
        check(answer, events, &shared.descriptor.steps, shared.program.limits()).map_err(|breach| {
            let position = breach.position.unwrap_or_else(|| self.running.position(events));
            Fault::new(FailureKind::BrokeContract, &breach.message, Vec::new()).at(position)
        })
    }
}

impl std::fmt::Debug for UpcasterInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpcasterInstance").field("module", &self.module).finish_non_exhaustive()
    }
}

/// # Errors
/// There are too many steps, or there is a message for each schema version that is out of range.
fn from_contract(descriptor: contract::Descriptor) -> Result<UpcasterDescriptor, Vec<String>> {
    descriptor_size::check_steps(descriptor.steps.len()).map_err(|reason| vec![reason])?;
    let mut reasons = Vec::new();
    let mut steps = Vec::with_capacity(descriptor.steps.len());
    for contract::Step { event_type, from, to, produces } in descriptor.steps {
        match (SchemaVersion::try_from(from), SchemaVersion::try_from(to)) {
            (Ok(from), Ok(to)) => steps.push(Step { event_type, from, to, produces }),
            (one, other) => {
                let errors = [one.err(), other.err()].into_iter().flatten();
                reasons.extend(errors.map(|error| format!("step `{event_type}` {from} → {to}: {error}")));
            }
        }
    }
    if reasons.is_empty() { Ok(UpcasterDescriptor { sdk: declared::sdk(descriptor.sdk), steps }) } else { Err(reasons) }
}

fn returned(event: contract::Upcasted) -> ReturnedEvent {
    let contract::Upcasted { event_type, schema_version, data, metadata, tags } = event;
    ReturnedEvent { event_type, schema_version, data, metadata, tags }
}
