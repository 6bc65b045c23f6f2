//! Of what an answer about the past is made.

use super::logic::Logic;
use crate::event_log::StreamVersion;

/// Of what an answer about the past of a stream is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The logic that made the rows.
    pub logic: Logic,
    /// The version of the newest event of the stream.
    pub newest: StreamVersion,
    /// The version of the stream at which folding began: that of a snapshot, or 0.
    pub began_at: StreamVersion,
    /// How many events of the stream were read from there on.
    pub read: u64,
}
