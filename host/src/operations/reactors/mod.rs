//! What operators do with reactors.

mod activate;
mod change;
mod delete;
mod deployed;
mod rehearse;
mod retry;
mod show;

pub(super) use self::deployed::activate;
pub use self::{
    deployed::DeployedReactor,
    rehearse::{Rehearsal, RehearseError, RehearseOptions, RehearsedEvent},
    retry::RetriedReactor,
    show::ReactorDeadLetters,
};
