//! What operators do with reactors.

mod activate;
mod change;
mod delete;
mod deployed;
mod rehearse;
mod retry;
mod show;
mod upcasters;

pub use self::{
    deployed::DeployedReactor,
    rehearse::{Rehearsal, RehearseError, RehearseOptions, RehearsedEvent},
    retry::RetriedReactor,
    show::ReactorDeadLetters,
};
pub(super) use self::{deployed::activate, upcasters::follow_upcasters};
