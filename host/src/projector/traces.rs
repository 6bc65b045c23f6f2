//! The traces of batches: each is a part of the trace of the append that brought its first event, and linked to all of them.

use std::collections::HashSet;

use tracing::{Span, info_span};

use crate::{
    builds::Build,
    runtime::Delivery,
    telemetry::{TRACE, TraceContext},
};

/// Requests to which a batch is linked, at most.
const MAX_LINKS: usize = 32;

/// The span of a batch, from when its events are folded until its rows are committed. A replay folds events of long ago, and is part of no
/// trace of theirs.
pub(super) fn batch_span(build: &Build, events: &[Delivery], is_replaying: bool) -> Span {
    let first = events.first().map(|event| event.position.0);
    let last = events.last().map(|event| event.position.0);
    let span = info_span!(
        target: TRACE,
        parent: None,
        "batch",
        projection = build.projection.as_str(),
        build = %build.name(),
        version = build.version.0,
        events = events.len(),
        first_position = first,
        last_position = last,
        replay = is_replaying,
    );
    if span.is_disabled() || is_replaying {
        return span;
    }
    let mut seen = HashSet::new();
    // Events of one append have one text.
    let texts = events.iter().filter_map(|event| event.metadata.as_deref()).filter(|text| seen.insert(*text));
    let mut contexts: Vec<TraceContext> = Vec::new();
    for context in texts.filter_map(TraceContext::of_metadata) {
        if contexts.len() == MAX_LINKS {
            break;
        }
        if !contexts.contains(&context) {
            contexts.push(context);
        }
    }
    if let Some(first) = contexts.first() {
        first.continue_in(&span);
    }
    contexts.iter().for_each(|context| context.link(&span));
    span
}
