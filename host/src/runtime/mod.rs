//! Runs modules: engine, sandbox, contract.
//!
//! It knows the types of the log and of read models, and no Postgres: the rows that a module asks for come through
//! [`RowReader`], and what a batch changes goes out as a [`WriteSet`](crate::read_model::WriteSet). Events of older shapes go
//! through an [`UpcasterChain`] before.

mod bindings;
mod bulk;
mod cache;
mod convert;
mod delivery;
mod descriptor;
mod digest;
mod engine;
mod failure;
mod inspect;
mod limits;
mod module;
mod moment;
mod output;
mod projection;
mod start;
mod state;
mod upcast;
mod wasi;

pub use self::{
    delivery::Delivery,
    descriptor::{
        Descriptor, ModuleKind, Partition, ProjectionDescriptor, Step, UpcasterDescriptor, WantedType, view_name,
    },
    digest::Digest,
    failure::{BatchError, FailureKind, Frame, ModuleFailure, ReadError},
    limits::RuntimeLimits,
    module::{InvalidModule, Module, ModuleLabel, Runtime, RuntimeError, RuntimeSettings},
    projection::{ProjectionInstance, ProjectionModule},
    state::RowReader,
    upcast::{UpcastError, Upcasted, UpcasterChain, UpcasterConflict, UpcasterInstance, UpcasterModule, conflicts},
};
