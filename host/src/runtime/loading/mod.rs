//! Loads modules: checks the bytes of a component, its cost to compile and its world, and compiles it.

mod cache;
mod compile_budget;
mod inspect;
pub(super) mod invalid;
pub(super) mod loader;
