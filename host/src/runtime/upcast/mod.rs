//! Runs upcasters that are active together, as one chain.

pub(super) mod chain;
#[cfg(test)]
mod chain_tests;
mod lineage;
pub(super) mod sources;
