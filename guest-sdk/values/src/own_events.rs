//! The events of a reactor's own, which the host appends to its streams: their types, and their data as the host writes it. What reads
//! them is in the SDK.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Instant, names};

/// The type of [`ScheduleDue`].
pub const SCHEDULE_DUE: &str = "ScheduleDue";
/// The type of [`CallSucceeded`].
pub const CALL_SUCCEEDED: &str = "CallSucceeded";
/// The type of [`CallFailed`].
pub const CALL_FAILED: &str = "CallFailed";
/// The type of [`AppendRefused`].
pub const APPEND_REFUSED: &str = "AppendRefused";
/// All types of a reactor's own events.
pub const TYPES: [&str; 4] = [SCHEDULE_DUE, CALL_SUCCEEDED, CALL_FAILED, APPEND_REFUSED];

/// Whether an event of this type, in this category, only looks like an answer to effects: it has one of their types, and the host has not appended it.
/// No reactor gets it, or whoever may append to one of its categories could tell it that a call has succeeded.
#[must_use]
pub fn is_forged(event_type: &str, category: &str) -> bool {
    TYPES.contains(&event_type) && !names::is_reserved(category)
}

/// The time of a schedule has come.
#[derive(Debug, Serialize)]
pub struct ScheduleDue<'a> {
    /// That of the schedule.
    pub name: &'a str,
    /// What the schedule carries.
    pub data: &'a RawValue,
    /// The time of the schedule. That of the event is when the host got to it.
    pub scheduled_for: Instant,
}

/// A call was answered.
#[derive(Debug, Serialize)]
pub struct CallSucceeded<'a> {
    /// That of the call.
    pub name: &'a str,
    /// The id of the message, a UUID.
    pub message: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// The answer, if it has a body.
    pub data: Option<&'a RawValue>,
}

/// A call was refused, or not answered in all tries.
#[derive(Debug, Serialize)]
pub struct CallFailed<'a> {
    /// That of the call.
    pub name: &'a str,
    /// The id of the message, a UUID.
    pub message: &'a str,
    /// The status of the last answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong, in words.
    pub reason: &'a str,
    /// How often it was tried.
    pub tries: u32,
}

/// Events were not appended, since their stream has another version than was expected.
#[derive(Debug, Serialize)]
pub struct AppendRefused<'a> {
    /// The stream.
    pub stream: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// The version that was expected; 0 if the stream was to have no events.
    pub expected: u64,
    /// The version of the stream, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    /// The position of the event that was answered with the append.
    pub position: u64,
    /// The number of the append among the effects of that event.
    pub number: u32,
}
