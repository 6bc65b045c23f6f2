//! The traces of batches: each is a part of the trace of the append that brought its first event, and linked to all of them.

use std::collections::HashSet;

use crate::{
    builds::Build,
    subscriptions::BatchEvents,
    telemetry::{Span, TRACEPARENT, TraceContext},
};

/// Requests to which a batch is linked, at most.
const MAX_LINKS: usize = 32;

/// The span of a batch, from when its events are folded until its rows are committed. A replay folds events of long ago, and is part of no
/// trace of theirs.
pub(super) fn batch_span(build: &Build, events: &BatchEvents, is_replaying: bool) -> Span {
    if !Span::are_on() {
        return Span::none();
    }
    let traced = (!is_replaying).then_some(events);
    let texts = traced.into_iter().flat_map(BatchEvents::iter).filter_map(|event| event.metadata.as_deref());
    // Events of one append have one text, and most have no trace in it.
    let mut seen = HashSet::new();
    let texts = texts.filter(|text| text.contains(TRACEPARENT) && seen.insert(*text));
    let mut contexts = texts.filter_map(TraceContext::of_metadata);
    let first = contexts.next();
    Span::of_work("batch", first.as_ref(), |span| {
        span.attribute("projection", build.projection.to_string());
        span.attribute("build", build.name().to_string());
        span.number("version", build.version.0);
        span.number("events", events.len());
        if let (Some(first), Some(last)) = (events.iter().next(), events.last()) {
            span.number("first_position", first.position.0);
            span.number("last_position", last.position.0);
        }
        span.attribute("replay", is_replaying);
        // The others are only looked for if the span is recorded.
        let mut linked: Vec<TraceContext> = Vec::new();
        for context in first.clone().into_iter().chain(contexts) {
            if linked.len() == MAX_LINKS {
                break;
            }
            if !linked.contains(&context) {
                linked.push(context);
            }
        }
        linked.into_iter().for_each(|context| span.link(context));
    })
}
