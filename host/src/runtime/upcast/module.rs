//! An upcaster, compiled and checked, and its instances.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Store, component::InstancePre};

use super::answer::{Upcasted, check};
use crate::event_log::Position;
use crate::runtime::{
    BatchError, Delivery, FailureKind, ModuleLabel, RuntimeLimits, Step, UpcasterDescriptor,
    bindings::{
        projection::gnomon::module::types::Event,
        upcaster::{Upcaster as Bindings, UpcasterPre, exports::gnomon::module::upcaster_guest as contract},
    },
    convert::event_to_module,
    failure::{batch_error, module_failure, refusal},
    start::start,
    state::GuestState,
};

/// An upcaster that can be run. Clones are handles on one compiled module.
#[derive(Clone)]
pub struct UpcasterModule {
    shared: Arc<Shared>,
}

struct Shared {
    label: Arc<ModuleLabel>,
    limits: RuntimeLimits,
    pre: UpcasterPre<GuestState>,
    descriptor: UpcasterDescriptor,
}

/// An instance of an upcaster: its memory. One whose call failed must be dropped.
pub struct UpcasterInstance {
    module: UpcasterModule,
    store: Store<GuestState>,
    bindings: Bindings,
}

impl UpcasterModule {
    /// Calls `describe` and checks what it says.
    pub(in crate::runtime) fn describe(
        pre: InstancePre<GuestState>,
        label: Arc<ModuleLabel>,
        limits: RuntimeLimits,
    ) -> Result<Self, Vec<String>> {
        let pre = UpcasterPre::new(pre).map_err(|error| vec![format!("{error:#}")])?;
        let (mut store, bindings) = start(pre.engine(), &label, limits, 0, |store| pre.instantiate(store))
            .map_err(|error| vec![error.without_event()])?;
        store.data_mut().begin(Vec::new());
        let descriptor = bindings.gnomon_module_upcaster_guest().call_describe(&mut store).map_err(|error| {
            let last_words = store.data().output.last_words();
            vec![format!("its `describe` failed: {}", batch_error(error, 0, last_words).without_event())]
        })?;
        let descriptor = UpcasterDescriptor { steps: descriptor.steps.into_iter().map(step).collect() };
        descriptor.check()?;
        Ok(Self { shared: Arc::new(Shared { label, limits, pre, descriptor }) })
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
        &self.shared.label
    }

    /// Makes an instance with fresh memory, to begin at the event at a position. Blocks: the module may compute.
    ///
    /// # Errors
    /// There is no room for one now, or its start fails, which is blamed on the event.
    pub fn instantiate(&self, position: Position) -> Result<UpcasterInstance, BatchError> {
        let shared = &self.shared;
        let instantiate = |store: &mut Store<GuestState>| shared.pre.instantiate(store);
        let (store, bindings) = start(shared.pre.engine(), &shared.label, shared.limits, position.0, instantiate)?;
        Ok(UpcasterInstance { module: self.clone(), store, bindings })
    }
}

impl std::fmt::Debug for UpcasterModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpcasterModule").field("label", &self.shared.label).finish_non_exhaustive()
    }
}

impl UpcasterInstance {
    /// Takes one step with each of these events, which are at the beginning of one of its [steps](UpcasterModule::steps) and
    /// come in the order of their positions. Answers what becomes of each, in their order. Blocks: it computes.
    ///
    /// # Errors
    /// The instance is no longer of use.
    pub fn upcast<E: Borrow<Delivery>>(&mut self, events: &[E]) -> Result<Vec<Vec<Upcasted>>, BatchError> {
        let moments = events.iter().map(Borrow::borrow).map(|event| (event.position.0, event.time)).collect();
        let lowered: Vec<Event<'_>> = events.iter().map(|event| event_to_module(event.borrow())).collect();
        self.store.data_mut().begin(moments);
        // Let the deadline's clock be looked at at the next tick.
        self.store.set_epoch_deadline(1);

        let answer = self.bindings.gnomon_module_upcaster_guest().call_upcast(&mut self.store, &lowered);
        let state = self.store.data_mut();
        let position = state.position();
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => {
                let known = events.iter().any(|event| event.borrow().position.0 == failure.position);
                return Err(refusal(failure, known, position));
            }
            Err(error) => return Err(batch_error(error, position, state.output.last_words())),
        };
        let shared = &self.module.shared;
        check(answer, events, &shared.descriptor.steps, &shared.limits).map_err(|breach| {
            let position = breach.position.map_or(position, |position| position.0);
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
