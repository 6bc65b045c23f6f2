//! How a try ends.

use std::{fmt, time::Duration};

use serde_json::value::RawValue;

/// How a try ends.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The sink has taken the message.
    Delivered(Option<Answer>),
    /// The sink does not take it, and will not.
    Refused(Failure),
    /// It may take it later; a sink may say when.
    Later(Failure, Option<Duration>),
}

/// What an endpoint has answered to a call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// JSON, `null` for an answer without a body.
    pub(super) data: Box<RawValue>,
}

/// Why a try has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The status of the answer, if there was one.
    pub(super) status: Option<u16>,
    pub(super) reason: String,
}

impl Failure {
    /// A failure without an answer.
    pub(super) fn of(reason: impl fmt::Display) -> Self {
        Self { status: None, reason: reason.to_string() }
    }
}
