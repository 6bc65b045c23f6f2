//! Spans of work on events: each is a part of the trace of the append that brought its first event, and linked to all of them.

use std::collections::HashSet;

use super::{
    span::{Recorded, Span},
    trace_context::{TRACEPARENT, TraceContext},
};

/// Requests to which a span is linked, at most.
const MAX_LINKS: usize = 32;

impl Span {
    /// Works on events of which this is the metadata. What it is, `describe` says if it is recorded.
    pub fn of_events<'m>(
        name: &'static str,
        metadata: impl Iterator<Item = &'m str>,
        describe: impl FnOnce(&mut Recorded<'_>),
    ) -> Self {
        if !Self::are_on() {
            return Self::none();
        }
        // Events of one append have one text, and most have no trace in it.
        let mut seen = HashSet::new();
        let texts = metadata.filter(|text| text.contains(TRACEPARENT) && seen.insert(*text));
        let mut contexts = texts.filter_map(TraceContext::of_metadata);
        let first = contexts.next();
        Self::of_work(name, first.as_ref(), |span| {
            describe(span);
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
}
