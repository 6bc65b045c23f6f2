//! A linked component of a world, and its instances.

use std::{borrow::Borrow, sync::Arc};

use wasmtime::{Engine, Store, component::InstancePre};

use super::{guest::Guest, world::World};
use crate::{
    event_log::Position,
    runtime::{
        convert::{Batch, Events, Failure},
        delivery::Delivery,
        failure::{BatchError, CallError, FailureKind, Fault},
        invalid::CannotLoad,
        label::ModuleLabel,
        limits::RuntimeLimits,
        sandbox::{
            event_cursor::CurrentEvent,
            fault::{call_error, instance_error},
            host_memory::HostMemory,
            resources::Resources,
            stop::Stop,
        },
    },
};

/// A component that is compiled and linked, from which instances are made.
pub(in crate::runtime) struct Program<W: World> {
    engine: Engine,
    label: Arc<ModuleLabel>,
    available: Resources,
    linked: W::Linked,
}

/// An instance, in a store of its own.
pub(in crate::runtime) struct Running<W: World> {
    store: Store<Guest<W::State>>,
    exports: W::Exports,
}

impl<W: World> Program<W> {
    /// # Errors
    /// The component does not export what its world requires.
    pub(in crate::runtime) fn new(
        component: InstancePre<Guest<W::State>>,
        label: Arc<ModuleLabel>,
        available: Resources,
    ) -> Result<Self, Vec<String>> {
        let engine = component.engine().clone();
        let linked = W::link(component).map_err(|error| vec![format!("{error:#}")])?;
        Ok(Self { engine, label, available, linked })
    }

    pub(in crate::runtime) fn label(&self) -> &ModuleLabel {
        &self.label
    }

    pub(in crate::runtime) fn limits(&self) -> &RuntimeLimits {
        &self.available.limits
    }

    /// The memory that its instances share with all others.
    pub(in crate::runtime) fn memory(&self) -> &HostMemory {
        &self.available.memory
    }

    /// Starts an instance, with its limits and its deadline.
    pub(in crate::runtime) fn start(&self) -> Result<Running<W>, CallError> {
        let guest = Guest::new(Arc::clone(&self.label), &self.available, W::state(self.limits()));
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| guest);
        store.epoch_deadline_callback(|context| context.data().deadline.check());
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits().max_call_bytes);
        match W::instantiate(&self.linked, &mut store) {
            Ok(exports) => Ok(Running { store, exports }),
            Err(error) => Err(instance_error(error, store.data().output.complaints())),
        }
    }

    /// What the module declares: `call` calls `describe` of a new instance.
    ///
    /// # Errors
    /// Says why the call failed: because of the module, or because the host has no room for an instance now.
    pub(in crate::runtime) fn describe<D>(
        &self,
        call: impl FnOnce(&W::Exports, &mut Store<Guest<W::State>>) -> wasmtime::Result<D>,
    ) -> Result<D, CannotLoad> {
        let cannot_load = |error: CallError, message: String| match error {
            CallError::Module(_) => CannotLoad::from(message),
            CallError::Rows(_) | CallError::Instance(_) | CallError::Memory(_) => CannotLoad::Host(message),
        };
        let Running { mut store, exports } = self.start().map_err(|error| {
            let message = error.to_string();
            cannot_load(error, message)
        })?;
        store.data_mut().begin(Vec::new());
        call(&exports, &mut store).map_err(|error| {
            let error = call_error(error, store.data().output.complaints());
            let message = format!("its `describe` failed: {error}");
            cannot_load(error, message)
        })
    }
}

impl<W: World> Running<W> {
    /// The state of the imports that are specific to the world.
    pub(in crate::runtime) fn state(&mut self) -> &mut W::State {
        &mut self.store.data_mut().own
    }

    /// The position of the current event of a batch: the one that the module turned to last, else the first.
    pub(in crate::runtime) fn position<E: Borrow<Delivery>>(&self, events: &[E]) -> Position {
        self.store.data().cursor.position().unwrap_or_else(|| events[0].borrow().position)
    }

    /// Calls a function of the module with events, at least one. After an error the instance must be dropped.
    pub(in crate::runtime) fn call<E: Borrow<Delivery>, A>(
        &mut self,
        events: &[E],
        call: impl FnOnce(&W::Exports, &mut Store<Guest<W::State>>, Batch<'_>) -> wasmtime::Result<Result<A, Failure>>,
    ) -> Result<A, BatchError> {
        let current = |event: &Delivery| CurrentEvent { position: event.position, time: event.time };
        let lowered = Events::of(events.iter().map(Borrow::borrow));
        self.store.data_mut().begin(events.iter().map(|event| current(event.borrow())).collect());
        // The deadline is checked at the next tick, and sets the next epoch deadline itself.
        self.store.set_epoch_deadline(1);
        self.store.data().output.hold();
        let answer = match &lowered {
            Ok(lowered) => call(&self.exports, &mut self.store, lowered.as_batch()),
            Err(error) => Err(Stop::Exceeded { kind: FailureKind::OutOfMemory, message: error.to_string() }.into()),
        };
        drop(lowered);
        let at = |position| events.binary_search_by_key(&position, |event| event.borrow().position).ok();
        let stream_at = |position| at(position).map(|index| &*events[index].borrow().stream);
        self.store.data().output.write_held(stream_at);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => {
                // A failure that names an event outside of the batch is attributed to the current one.
                let named =
                    events.iter().map(|event| event.borrow().position).find(|named| named.0 == failure.position);
                let position = named.unwrap_or_else(|| self.position(events));
                Err(Fault::new(FailureKind::Refused, &failure.message, Vec::new()).at(position))
            }
            Err(error) => Err(call_error(error, self.store.data().output.complaints()).at(self.position(events))),
        }
    }
}
