//! Streams.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    event::Event,
    expected_version::{self, ExpectedVersion},
    page::{After, Direction},
};

/// The parameters of `GET /v1/streams`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListStreamsQuery {
    /// Only streams of these categories, with commas between; a name with a comma or a quote stands in double quotes.
    pub category: Option<String>,
    /// The page begins after this name.
    pub after: Option<String>,
    /// The most streams that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
}

/// A page of streams, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StreamsPage {
    /// The streams.
    pub streams: Vec<Stream>,
    /// The `after` of the next page; null at the end.
    #[schema(required)]
    pub next: Option<String>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Stream {
    /// Its name.
    pub stream: String,
    /// The version of its newest event.
    pub version: u64,
    /// The position of its newest event.
    pub last_position: u64,
}

/// The parameters of `GET /v1/streams/{stream}/events`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadStreamQuery {
    /// The page begins after this version.
    pub after: Option<After>,
    /// The most events that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
    /// The order.
    #[serde(default)]
    pub direction: Direction,
}

/// The parameters of `POST /v1/streams/{stream}/events`.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AppendQuery {
    /// For CloudEvents, which have no member for it: the version that the stream must have, `any`, `no_stream`, or the version of its newest event.
    #[serde(default, deserialize_with = "expected_version::of_parameter")]
    pub expected_version: Option<ExpectedVersion>,
}

/// A page of a stream.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StreamPage<E = Event> {
    /// The stream.
    pub stream: String,
    /// The version of its newest event.
    pub version: u64,
    /// The events.
    pub events: Vec<E>,
    /// The `after` of the next page; null if there are no older events.
    #[schema(required)]
    pub next: Option<u64>,
}
