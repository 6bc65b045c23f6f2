//! Loads modules: checks the bytes of a component, its cost to compile and its world, and compiles it.

pub(super) mod cache;
mod code;
mod compile_budget;
pub(super) mod compile_process;
mod compiler;
mod inspect;
pub(super) mod loader;
