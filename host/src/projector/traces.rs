//! The traces of batches.

use crate::{builds::Build, subscriptions::BatchEvents, telemetry::Span};

/// The span of a batch, from when its events are folded until its rows are committed. A replay folds events of long ago, and is part of no
/// trace of theirs.
pub(super) fn batch_span(build: &Build, events: &BatchEvents, is_replaying: bool) -> Span {
    let traced = (!is_replaying).then_some(events);
    let metadata = traced.into_iter().flat_map(BatchEvents::iter).filter_map(|event| event.metadata.as_deref());
    Span::of_events("batch", metadata, |span| {
        span.attribute("projection", build.projection.to_string());
        span.attribute("build", build.name().to_string());
        span.number("version", build.version.0);
        span.number("events", events.len());
        if let (Some(first), Some(last)) = (events.iter().next(), events.last()) {
            span.number("first_position", first.position.0);
            span.number("last_position", last.position.0);
        }
        span.attribute("replay", is_replaying);
    })
}
