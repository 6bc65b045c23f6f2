//! What a Gnomon host and its modules must agree upon: the limits of values, and the canonical form of each.
//!
//! The host checks what a module hands over, and the SDK's test kit checks the same without a host. Each rule is written once,
//! here, so that the two cannot differ. Checks take names and sizes, so that neither side needs the other's types.

pub mod cells;
pub mod declaration;
pub mod description;
pub mod effects;
pub mod full_text;
pub mod json;
pub mod limits;
mod local_time;
pub mod names;
pub mod number;
pub mod own_events;
pub mod projection;
pub mod reactor;
mod tables;
mod time;
mod value;
pub mod wanted;

pub use self::{
    local_time::{LocalTimeError, LocalTimestamp, TimeOfDay},
    time::{Day, Instant, TimeError},
    value::{ColumnType, Float},
};
