//! A component of a world, ready to run, and its instances.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Engine, Store, component::InstancePre};

use super::{guest::Guest, world::World};
use crate::runtime::{
    convert::{Event, Failure, event_to_module},
    delivery::Delivery,
    failure::{BatchError, FailureKind, module_failure},
    label::ModuleLabel,
    limits::RuntimeLimits,
    sandbox::fault::{batch_error, instance_error},
};

/// A component that has been compiled and linked. Instances are made of it.
pub(in crate::runtime) struct Program<W: World> {
    engine: Engine,
    label: Arc<ModuleLabel>,
    limits: RuntimeLimits,
    linked: W::Linked,
}

/// An instance, in a store of its own.
pub(in crate::runtime) struct Running<W: World> {
    store: Store<Guest<W::State>>,
    exports: W::Exports,
}

impl<W: World> Program<W> {
    /// # Errors
    /// The component does not export what its world says.
    pub(in crate::runtime) fn new(
        component: InstancePre<Guest<W::State>>,
        label: Arc<ModuleLabel>,
        limits: RuntimeLimits,
    ) -> Result<Self, Vec<String>> {
        let engine = component.engine().clone();
        let linked = W::link(component).map_err(|error| vec![format!("{error:#}")])?;
        Ok(Self { engine, label, limits, linked })
    }

    pub(in crate::runtime) fn label(&self) -> &ModuleLabel {
        &self.label
    }

    pub(in crate::runtime) fn limits(&self) -> &RuntimeLimits {
        &self.limits
    }

    /// Starts an instance, with its limits and its deadline; `position` is that of the event that a failure is blamed on.
    pub(in crate::runtime) fn start(&self, position: u64) -> Result<Running<W>, BatchError> {
        let guest = Guest::new(Arc::clone(&self.label), &self.limits, W::state(&self.limits));
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limiter);
        store.epoch_deadline_callback(|context| context.data().deadline.check());
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits.max_call_bytes);
        match W::instantiate(&self.linked, &mut store) {
            Ok(exports) => Ok(Running { store, exports }),
            Err(error) => Err(instance_error(error, position, store.data().output.last_words())),
        }
    }

    /// What the module says of itself, asked by `call` of a new instance.
    ///
    /// # Errors
    /// Why it says nothing, in words.
    pub(in crate::runtime) fn describe<D>(
        &self,
        call: impl FnOnce(&W::Exports, &mut Store<Guest<W::State>>) -> wasmtime::Result<D>,
    ) -> Result<D, Vec<String>> {
        let Running { mut store, exports } = self.start(0).map_err(|error| vec![error.without_event()])?;
        store.data_mut().begin(Vec::new());
        call(&exports, &mut store).map_err(|error| {
            let last_words = store.data().output.last_words();
            vec![format!("its `describe` failed: {}", batch_error(error, 0, last_words).without_event())]
        })
    }
}

impl<W: World> Running<W> {
    /// The state of the imports that only this world has.
    pub(in crate::runtime) fn state(&mut self) -> &mut W::State {
        &mut self.store.data_mut().own
    }

    /// The position of the current event.
    pub(in crate::runtime) fn position(&self) -> u64 {
        self.store.data().cursor.position()
    }

    /// Hands events, at least one, to the function of the module that `call` calls. After an error the instance is no longer of
    /// use.
    pub(in crate::runtime) fn call<E: Borrow<Delivery>, A>(
        &mut self,
        events: &[E],
        call: impl FnOnce(&W::Exports, &mut Store<Guest<W::State>>, &[Event<'_>]) -> wasmtime::Result<Result<A, Failure>>,
    ) -> Result<A, BatchError> {
        let at = events.iter().map(Borrow::borrow).map(|event| (event.position.0, event.time)).collect();
        let lowered: Vec<Event<'_>> = events.iter().map(|event| event_to_module(event.borrow())).collect();
        self.store.data_mut().begin(at);
        // Let the deadline's clock be looked at at the next tick.
        self.store.set_epoch_deadline(1);

        match call(&self.exports, &mut self.store, &lowered) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => {
                // A module that names an event which is not in its batch means the current one.
                let known = events.iter().any(|event| event.borrow().position.0 == failure.position);
                let position = if known { failure.position } else { self.position() };
                Err(module_failure(position, FailureKind::Refused, failure.message, Vec::new()))
            }
            Err(error) => Err(batch_error(error, self.position(), self.store.data().output.last_words())),
        }
    }
}
