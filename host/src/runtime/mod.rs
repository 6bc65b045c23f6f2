//! Runs modules: engine, sandbox, contract.
//!
//! It knows the types of the log and of read models, and no Postgres: the rows that a module asks for come through
//! [`RowReader`], and what a batch changes goes out as a [`WriteSet`](crate::read_model::WriteSet). Events of older shapes go
//! through an [`UpcasterChain`] before.
//!
//! Its files, from the ground up; each knows only those before it:
//!
//! 1. words: `digest`, `label`, `delivery`, `limits`, `printable`, `descriptor`, `steps`, `failure`, `row_reader`
//! 2. `sandbox`: what a module runs in, whatever its world
//! 3. the contract: `bindings`, which is generated, and `convert`, its values in those of the house
//! 4. `imports`: a file for each interface that modules may import
//! 5. `worlds`: what a world is, a file for each, and the table of them
//! 6. `loading`: from bytes to a module of one of these worlds
//! 7. `module`, which puts the table and the loading together, and `upcast`, the chain of upcasters
//!
//! A world is added as a file of `worlds` that implements `World`, and as an entry in the table there; an interface that its
//! modules may import, as a file of `imports`. What the rest of the house does with modules by their kind, it finds by
//! [`Module`], [`Descriptor`] and [`ModuleKind`], so the compiler lists those places.

mod bindings;
mod convert;
mod delivery;
mod descriptor;
mod digest;
mod failure;
mod imports;
mod label;
mod limits;
mod loading;
mod module;
mod printable;
mod row_reader;
mod sandbox;
mod steps;
#[cfg(test)]
mod tests;
mod upcast;
mod worlds;

pub use self::{
    delivery::Delivery,
    descriptor::{
        Descriptor, ModuleKind, Partition, ProjectionDescriptor, Step, UpcasterDescriptor, WantedType, view_name,
    },
    digest::Digest,
    failure::{BatchError, FailureKind, Frame, ModuleFailure, ReadError},
    label::ModuleLabel,
    limits::RuntimeLimits,
    loading::{
        invalid::InvalidModule,
        loader::{RuntimeError, RuntimeSettings},
    },
    module::Runtime,
    row_reader::RowReader,
    steps::conflicts,
    upcast::chain::{UpcastError, UpcasterChain, UpcasterConflict},
    worlds::{
        Module,
        answer::Upcasted,
        projection::{ProjectionInstance, ProjectionModule},
        upcaster::{UpcasterInstance, UpcasterModule},
    },
};
