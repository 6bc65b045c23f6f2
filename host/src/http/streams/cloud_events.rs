//! Requests that are CloudEvents.

use axum::http::HeaderMap;

use super::binary_cloud_event;
use crate::{
    event_log::NewEvent,
    http::{
        content_type::{begins_with, is_media_type},
        convert::{AttributesIn, cloud_event, new_event},
        json::{parse_json, parse_json_list},
        named_actor::NamedActor,
        problem::Problem,
        traces::keep_trace,
    },
};

/// The media type of one CloudEvent.
pub(super) const ONE: &str = "application/cloudevents+json";
/// The media type of a list of CloudEvents.
pub(super) const BATCH: &str = "application/cloudevents-batch+json";

/// What the media types of CloudEvents begin with, in every format. A request with another one may be in binary mode.
const EVERY: &str = "application/cloudevents";

/// Whether a request is CloudEvents, as its headers say.
pub(super) fn are_in(headers: &HeaderMap) -> bool {
    is_media_type(headers, ONE) || is_media_type(headers, BATCH) || is_binary(headers)
}

fn is_binary(headers: &HeaderMap) -> bool {
    !begins_with(headers, EVERY) && binary_cloud_event::is_in(headers)
}

/// The events of such a request, which an actor appends.
pub(super) fn parse(headers: &HeaderMap, body: &[u8], actor: &NamedActor) -> Result<Vec<NewEvent>, Problem> {
    if is_binary(headers) {
        let event = binary_cloud_event::parse(headers, body)?;
        let mut event = cloud_event(event, AttributesIn::Headers)?;
        // Its metadata is made here, so what is refused in others is not in it.
        actor.name_in(std::slice::from_mut(&mut event), "")?;
        keep_trace(headers, [&mut event]);
        return Ok(vec![new_event(event, "")?]);
    }
    let is_one = is_media_type(headers, ONE);
    let path = |index: usize| if is_one { String::new() } else { format!("[{index}].") };
    let given = if is_one { vec![parse_json(body)?] } else { parse_json_list(body)? };
    let events =
        given.into_iter().enumerate().map(|(index, event)| cloud_event(event, AttributesIn::Body(&path(index))));
    let mut events = events.collect::<Result<Vec<_>, _>>()?;
    actor.name_in(&mut events, "")?;
    keep_trace(headers, &mut events);
    events.into_iter().enumerate().map(|(index, event)| new_event(event, &path(index))).collect()
}
