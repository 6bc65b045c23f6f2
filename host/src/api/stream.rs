//! Streams.

use serde::{Deserialize, Serialize};

use super::{
    event::Event,
    page::{After, Direction},
};

/// The parameters of `GET /v1/streams`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StreamsQuery {
    /// The categories that are wanted, with commas between; a name with a comma or a quote stands in double quotes.
    pub category: Option<String>,
    /// The name to begin behind.
    pub after: Option<String>,
    /// Streams of a page, at most.
    pub limit: Option<u64>,
}

/// A page of streams, by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StreamsPage {
    /// The streams.
    pub streams: Vec<Stream>,
    /// What to give as `after` for the next page; null at the end.
    pub next: Option<String>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Stream {
    /// Its name.
    pub stream: String,
    /// The version of its newest event.
    pub version: u64,
    /// The position of its newest event.
    pub last_position: u64,
}

/// The parameters of `GET /v1/streams/{stream}/events`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// Where to begin.
    pub after: Option<After>,
    /// Events of a page, at most.
    pub limit: Option<u64>,
    /// In which order.
    #[serde(default)]
    pub direction: Direction,
}

/// A page of a stream.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StreamPage<E = Event> {
    /// The stream.
    pub stream: String,
    /// The version of its newest event.
    pub version: u64,
    /// The events.
    pub events: Vec<E>,
    /// What to give as `after` for the next page; null when there is nothing further back.
    pub next: Option<u64>,
}
