//! Starting instances, each in a store of its own.

use std::sync::Arc;

use wasmtime::{Engine, Store};

use super::{
    failure::{BatchError, instance_error},
    limits::RuntimeLimits,
    module::ModuleLabel,
    state::GuestState,
};

/// Starts an instance, with its limits and its deadline; `position` is that of the event that a failure is blamed on.
pub(super) fn start<I>(
    engine: &Engine,
    label: &Arc<ModuleLabel>,
    limits: RuntimeLimits,
    position: u64,
    instantiate: impl FnOnce(&mut Store<GuestState>) -> wasmtime::Result<I>,
) -> Result<(Store<GuestState>, I), BatchError> {
    let mut store = Store::new(engine, GuestState::new(Arc::clone(label), limits));
    store.limiter(|state| &mut state.limiter);
    store.epoch_deadline_callback(|context| context.data().check_deadline());
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(limits.max_call_bytes);
    match instantiate(&mut store) {
        Ok(instance) => Ok((store, instance)),
        Err(error) => Err(instance_error(error, position, store.data().output.last_words())),
    }
}
