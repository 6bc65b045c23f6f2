//! Limits of sinks, and of messages to them.

use super::limit::{
    ErrorLocation::{Code, Nowhere},
    Limit::{Fixed, Option as By},
    Row, Unit,
    Unit::{Bytes, Number, Seconds},
};
use crate::outbox::{MAX_SINKS, SinkSettings, UNANSWERED, UNANSWERED_BYTES};

const NONE: Unit = Number("");

pub(super) const SINKS: &[Row] = &[
    ("sinks", Fixed(MAX_SINKS, NONE), Code("too_many_sinks")),
    ("a try of a message; a sink may have less, or more", Fixed(DEFAULT_TIMEOUT, Seconds), Nowhere),
    ("the same, at most", Fixed(SinkSettings::MAX_TIMEOUT_SECONDS as usize, Seconds), Code("invalid_body")),
    ("tries of a message; a sink may have less, or more", Fixed(DEFAULT_TRIES, NONE), Nowhere),
    ("the same, at most", Fixed(SinkSettings::MAX_MAX_TRIES as usize, NONE), Code("invalid_body")),
    ("between two tries of a message, at most", By("longest-retry-pause", Seconds), Nowhere),
    ("for which a message is kept that was delivered", By("keep-delivered", Seconds), Code("message_not_found")),
    ("the answer to a call; a larger one is a `CallFailed`", By("max-call-answer-bytes", Bytes), Nowhere),
    (
        "messages of the log that are sent to JetStream before it has answered the first of them",
        Fixed(UNANSWERED, NONE),
        Nowhere,
    ),
    ("the bytes of these, about", Fixed(UNANSWERED_BYTES, Bytes), Nowhere),
];

const DEFAULT_TIMEOUT: usize = SinkSettings::DEFAULT_TIMEOUT_SECONDS as usize;
const DEFAULT_TRIES: usize = SinkSettings::DEFAULT_MAX_TRIES as usize;
