//! The positions of answers, and waiting for one.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use super::{refusal::ReadTableError, session::Session};
use crate::{
    event_log::Position,
    http::{
        prefer::Preferences,
        problem::{Code, Problem},
        state::Api,
    },
    read_model::Identifier,
};

/// Header of answers: they hold the effect of every event up to this position.
pub(super) const POSITION: HeaderName = HeaderName::from_static("gnomon-position");
/// Header of requests: the answer is to hold the effect of every event up to this position.
const MIN_POSITION: &str = "gnomon-min-position";
/// How long the host waits for that position if the client does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Waits for the position that the request asks for, and for what its session has seen, if it does. Returns its session.
pub(super) async fn wait_for_min_position(
    api: &Api,
    projection: &Identifier,
    preferences: &Preferences,
    headers: &HeaderMap,
) -> Result<Session, ReadTableError> {
    let session = Session::of(headers).map_err(ReadTableError::Other)?;
    if let Some(position) = min_position(headers)?.max(session.seen()) {
        let wait = preferences.wait(DEFAULT_WAIT, api.settings.max_wait);
        api.queries.wait_for(projection, position, wait).await?;
    }
    Ok(session)
}

fn min_position(headers: &HeaderMap) -> Result<Option<Position>, ReadTableError> {
    let Some(value) = headers.get(MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(|position| Some(Position(position))).ok_or_else(|| {
        let detail = format!("Gnomon-Min-Position must be a position of the log; it is {value:?}");
        ReadTableError::Other(Problem::new(Code::InvalidHeader, detail))
    })
}
