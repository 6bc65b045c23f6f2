//! The sandbox of modules of every world: the engine, limits, a deterministic WASI, and the attribution of failures.

pub(super) mod deadline;
pub(super) mod engine;
pub(super) mod event_cursor;
pub(super) mod fault;
pub(super) mod host_memory;
pub(super) mod limiter;
pub(super) mod output;
pub(super) mod resources;
pub(super) mod stop;
pub(super) mod wasi;
