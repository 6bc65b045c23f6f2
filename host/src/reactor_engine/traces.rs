//! The traces of batches.

use crate::{reactors::Reactor, subscriptions::BatchEvents, telemetry::Span};

/// The span of a batch, from when its events are handled until what they do is committed.
pub(super) fn batch_span(reactor: &Reactor, events: &BatchEvents) -> Span {
    let metadata = events.iter().filter_map(|event| event.metadata.as_deref());
    Span::of_events("batch", metadata, |span| {
        span.attribute("reactor", reactor.name.to_string());
        span.number("version", reactor.version.0);
        span.number("events", events.len());
        if let (Some(first), Some(last)) = (events.iter().next(), events.last()) {
            span.number("first_position", first.position.0);
            span.number("last_position", last.position.0);
        }
    })
}
