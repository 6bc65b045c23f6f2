//! Upcasters together: the chain that events go through.

pub(super) mod chain;
#[cfg(test)]
mod chain_tests;
mod lineage;
