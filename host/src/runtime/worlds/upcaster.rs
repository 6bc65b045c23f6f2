//! The world of upcasters: events of an older schema version in, events of a later one out.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Store, component::InstancePre};

use self::generated::{Upcaster as Exports, UpcasterPre, exports::gnomon::module::upcaster_guest as contract};
use super::{
    answer::{Answered, Upcasted, check},
    guest::Guest,
    program::{Program, Running},
    world::{Signature, World},
};
use crate::{
    event_log::Position,
    runtime::{
        delivery::Delivery,
        descriptor::{ModuleKind, Step, UpcasterDescriptor},
        failure::{BatchError, FailureKind, module_failure},
        imports::{cursor, import::Import, log},
        label::ModuleLabel,
        limits::RuntimeLimits,
    },
};

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1.0",
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
        name: ModuleKind::Upcaster.as_str(),
        with_article: ModuleKind::Upcaster.with_article(),
        version: "0.1.0",
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

/// An instance of an upcaster: its memory. One whose call failed must be dropped.
pub struct UpcasterInstance {
    module: UpcasterModule,
    running: Running<Upcaster>,
}

impl UpcasterModule {
    /// Calls `describe` and checks what it says.
    pub(in crate::runtime) fn describe(program: Program<Upcaster>) -> Result<Self, Vec<String>> {
        let descriptor =
            program.describe(|exports, store| exports.gnomon_module_upcaster_guest().call_describe(store))?;
        let descriptor = UpcasterDescriptor { steps: descriptor.steps.into_iter().map(step).collect() };
        descriptor.check()?;
        Ok(Self { shared: Arc::new(Shared { program, descriptor }) })
    }

    /// What the upcaster says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &UpcasterDescriptor {
        &self.shared.descriptor
    }

    /// The steps that it can take.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.shared.descriptor.steps
    }

    /// Its name and version.
    #[must_use]
    pub fn label(&self) -> &ModuleLabel {
        self.shared.program.label()
    }

    /// Makes an instance with fresh memory, to begin at the event at a position. Blocks: the module may compute.
    ///
    /// # Errors
    /// There is no room for one now, or its start fails, which is blamed on the event.
    pub fn instantiate(&self, position: Position) -> Result<UpcasterInstance, BatchError> {
        Ok(UpcasterInstance { module: self.clone(), running: self.shared.program.start(position.0)? })
    }
}

impl std::fmt::Debug for UpcasterModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpcasterModule").field("label", self.label()).finish_non_exhaustive()
    }
}

impl UpcasterInstance {
    /// Takes one step with each of these events, which are at the beginning of one of its [steps](UpcasterModule::steps) and
    /// come in the order of their positions. Answers what becomes of each, in their order. Blocks: it computes.
    ///
    /// # Errors
    /// The instance is no longer of use.
    pub fn upcast<E: Borrow<Delivery>>(&mut self, events: &[E]) -> Result<Vec<Vec<Upcasted>>, BatchError> {
        let answer = self
            .running
            .call(events, |exports, store, events| exports.gnomon_module_upcaster_guest().call_upcast(store, events))?;
        let answer = answer.into_iter().map(|events| events.into_iter().map(answered).collect()).collect();
        let shared = &self.module.shared;
        check(answer, events, &shared.descriptor.steps, shared.program.limits()).map_err(|breach| {
            let position = breach.position.map_or_else(|| self.running.position(), |position| position.0);
            module_failure(position, FailureKind::BrokeContract, breach.message, Vec::new())
        })
    }
}

impl std::fmt::Debug for UpcasterInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpcasterInstance").field("module", &self.module).finish_non_exhaustive()
    }
}

fn step(step: contract::Step) -> Step {
    Step { event_type: step.event_type, from: step.from, to: step.to }
}

fn answered(event: contract::Upcasted) -> Answered {
    let contract::Upcasted { event_type, schema_version, data, metadata } = event;
    Answered { event_type, schema_version, data, metadata }
}
