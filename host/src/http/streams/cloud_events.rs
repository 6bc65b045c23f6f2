//! Bodies that are CloudEvents.

use axum::http::HeaderMap;

use crate::{
    event_log::NewEvent,
    http::{
        content_type::is_media_type,
        convert::{cloud_event, new_event},
        json::{parse_json, parse_json_list},
        problem::Problem,
        traces::keep_trace,
    },
};

/// The media type of one CloudEvent.
pub(super) const ONE: &str = "application/cloudevents+json";
/// The media type of a list of CloudEvents.
pub(super) const BATCH: &str = "application/cloudevents-batch+json";

/// Whether a body is CloudEvents, as its headers say.
pub(super) fn are_in(headers: &HeaderMap) -> bool {
    is_media_type(headers, ONE) || is_media_type(headers, BATCH)
}

/// The events of such a body.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Vec<NewEvent>, Problem> {
    let is_one = is_media_type(headers, ONE);
    let path = |index: usize| if is_one { String::new() } else { format!("[{index}].") };
    let given = if is_one { vec![parse_json(body)?] } else { parse_json_list(body)? };
    let events = given.into_iter().enumerate().map(|(index, event)| cloud_event(event, &path(index)));
    let mut events = events.collect::<Result<Vec<_>, _>>()?;
    keep_trace(headers, &mut events);
    events.into_iter().enumerate().map(|(index, event)| new_event(event, &path(index))).collect()
}
