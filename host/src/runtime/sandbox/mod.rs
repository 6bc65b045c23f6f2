//! What a module runs in, whatever its world: the engine, bounds, a WASI of fixed answers, and whose fault it is when a call ends.

pub(super) mod deadline;
pub(super) mod engine;
pub(super) mod event_cursor;
pub(super) mod fault;
pub(super) mod limiter;
pub(super) mod output;
pub(super) mod stop;
pub(super) mod wasi;
