//! Runs modules: engine, sandbox, contract.
//!
//! It knows the types of the log and of read models, but not Postgres: a module reads rows through [`RowReader`], and a batch
//! returns its changes as a [`WriteSet`](crate::read_model::WriteSet). An [`UpcasterChain`] rewrites events of older schema
//! versions first.
//!
//! Its files, from the ground up; each knows only those before it:
//!
//! 1. vocabulary: `digest`, `label`, `delivery`, `effects`, `limits`, `printable`, `invalid`, `descriptor`, `descriptor_size`,
//!    `declaration_check`, `own_events`, `steps`, `failure`, `row_reader`
//! 2. `sandbox`: what modules of every world run in
//! 3. the contract: `bindings`, which is generated, and `convert` and `declared`, which convert its values
//! 4. `imports`: a file for each interface that modules may import
//! 5. `worlds`: the trait of a world, a file for each, and the table of them
//! 6. `loading`: makes a module of bytes, which it lets a process of its own compile
//! 7. `module`, which loads modules of the worlds in the table, and `upcast`, the chain of upcasters
//!
//! To add a world, add a file to `worlds` that implements `World`, and an entry to the table there; to add an interface that its
//! modules may import, add a file to `imports`. The rest of the host matches on [`Module`], [`Descriptor`] and [`ModuleKind`], so
//! the compiler names the code that has to change.

mod bindings;
mod convert;
mod declaration_check;
mod declared;
mod delivery;
mod descriptor;
mod descriptor_size;
mod digest;
mod effects;
mod failure;
mod imports;
mod invalid;
mod label;
mod limits;
mod loading;
mod module;
mod own_events;
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
        Descriptor, ModuleKind, Partition, ProjectionDescriptor, ReactorDescriptor, Sdk, Step, UpcasterDescriptor,
        WantedType, view_name,
    },
    descriptor_size::{MAX_DECLARED_NAME_BYTES, MAX_DESCRIPTOR_BYTES},
    digest::Digest,
    effects::{Effect, EffectEvent, EffectsOf, NumberedEffect, effect_id, numbered},
    failure::{BatchError, FailureKind, Frame, ModuleFailure, ReadError},
    invalid::{CannotLoad, InvalidModule},
    label::{ModuleLabel, ModuleVersion},
    limits::RuntimeLimits,
    loading::{
        cache::NewCode,
        compile_process::{CompileOrder, compile_for_host},
        loader::{Loaded, RuntimeError, RuntimeSettings},
    },
    module::Runtime,
    row_reader::RowReader,
    sandbox::host_memory::HostMemory,
    steps::conflicts,
    upcast::{
        chain::{UpcastError, UpcasterChain, UpcasterConflict},
        sources::{depends_on, widen_to_sources},
    },
    worlds::{
        Module,
        answer::Upcasted,
        projection::{ProjectionInstance, ProjectionModule},
        reactor::{Reaction, ReactorInstance, ReactorModule},
        upcaster::{UpcasterInstance, UpcasterModule},
    },
};
