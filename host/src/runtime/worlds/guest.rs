//! The state of an instance on the host's side.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::runtime::{
    imports::cursor::Cursor,
    label::ModuleLabel,
    sandbox::{
        deadline::Deadline,
        event_cursor::{CurrentEvent, EventCursor},
        limiter::Limiter,
        output::GuestOutput,
        resources::Resources,
        wasi,
    },
};

/// The state of an instance: what instances of every world have, and what those of its own world have.
pub(in crate::runtime) struct Guest<S> {
    wasi: WasiCtx,
    resources: ResourceTable,
    limiter: Limiter,
    pub(in crate::runtime) deadline: Deadline,
    pub(in crate::runtime) output: GuestOutput,
    pub(in crate::runtime) cursor: Cursor,
    /// The state of the imports that are specific to the world.
    pub(in crate::runtime) own: S,
}

impl<S> Guest<S> {
    pub(super) fn new(label: Arc<ModuleLabel>, available: &Resources, own: S) -> Self {
        let event = EventCursor::default();
        let output = GuestOutput::new(label, event.clone());
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(wasi::MAX_RESOURCES);
        Self {
            wasi: wasi::context(&event, &output),
            resources,
            limiter: Limiter::new(available),
            deadline: Deadline::new(&available.limits),
            output,
            cursor: Cursor::new(event),
            own,
        }
    }

    /// Begins a call with these events, and starts its deadline.
    pub(super) fn begin(&mut self, events: Vec<CurrentEvent>) {
        self.output.begin_batch();
        self.cursor.begin(events);
        self.deadline.begin();
    }
}

impl<S: Send> WasiView for Guest<S> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

/// The limits are those of the [`Limiter`]; what it waits for memory of others does not count as computing.
impl<S: Send> ResourceLimiter for Guest<S> {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.deadline.wait(|| self.limiter.memory_growing(current, desired, maximum))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.limiter.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.limiter.instances()
    }

    fn tables(&self) -> usize {
        self.limiter.tables()
    }

    fn memories(&self) -> usize {
        self.limiter.memories()
    }
}
