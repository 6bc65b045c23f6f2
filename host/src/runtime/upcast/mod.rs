//! Upcasters: their steps, their instances, and the chain that events go through.

mod answer;
mod chain;
#[cfg(test)]
mod chain_tests;
mod family;
mod module;
mod steps;

pub use self::{
    answer::Upcasted,
    chain::{UpcastError, UpcasterChain, UpcasterConflict},
    module::{UpcasterInstance, UpcasterModule},
    steps::conflicts,
};
