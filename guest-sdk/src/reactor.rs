//! Reactors: modules that answer events with effects.
//!
//! [`Reactor`] is the trait that their authors implement, [`Effects`] is what a reactor answers with, and the events of a reactor's own
//! are [`ScheduleDue`], [`CallSucceeded`], [`CallFailed`] and [`AppendRefused`].

pub(crate) mod answers;
mod effect;
mod effects;
mod own_events;
mod react;

pub(crate) use self::effect::{Effect, RawEvent};
pub use self::{
    effects::{Effects, ExpectedVersion, Message, NewEvent},
    own_events::{AppendRefused, CallFailed, CallSucceeded, ScheduleDue},
    react::{Reactor, check_sinks},
};
