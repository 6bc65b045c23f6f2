//! From a component's bytes to a module: is it a component, of which world, what does it cost to compile, does it fit.

mod cache;
mod compile_budget;
mod inspect;
pub(super) mod invalid;
pub(super) mod loader;
