//! Effects for messages, and the differences between them.

use std::fmt::Write;

use gnomon_values::{Instant, json::CanonicalJson};

use crate::reactor::{Effect, RawEvent};

/// Lines that a message shows.
const SHOWN: usize = 20;

/// A line for each effect that differs from the one in its place: `-` for that on the left, `+` for that on the right. Empty if they are
/// equal, JSON by its value.
pub(super) fn difference(left: &[&Effect], right: &[&Effect], names: [&str; 2]) -> String {
    let mut lines = Vec::new();
    for index in 0..left.len().max(right.len()) {
        let [one, other] = [left, right].map(|effects| effects.get(index).map(|effect| shown(effect)));
        if one != other {
            let number = index + 1;
            lines.extend(one.map(|one| format!("\n  - effect {number} {}: {one}", names[0])));
            lines.extend(other.map(|other| format!("\n  + effect {number} {}: {other}", names[1])));
        }
    }
    let mut text: String = lines.iter().take(SHOWN).map(String::as_str).collect();
    if lines.len() > SHOWN {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  … and {} more lines", lines.len() - SHOWN);
    }
    text
}

/// An effect as the call that adds it. Two effects are equal if this is.
fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Append { stream, expected, events } => {
            let expected = match expected {
                None => String::new(),
                Some(0) => ", which has no events".to_owned(),
                Some(version) => format!(", which has version {version}"),
            };
            let events: Vec<String> = events.iter().map(shown_event).collect();
            format!("append to {stream}{expected}: {}", events.join(", "))
        }
        Effect::Publish { sink, message_type, subject, data } => {
            let subject = subject.as_ref().map(|subject| format!(" about {subject}")).unwrap_or_default();
            format!("publish to {sink}: {message_type}{subject} {}", canonical(data))
        }
        Effect::Call { sink, name, data } => format!("call {sink} as {name}: {}", canonical(data)),
        Effect::Schedule { name, at, data } => format!("schedule {name} at {}: {}", Instant(*at), canonical(data)),
        Effect::Cancel { name } => format!("cancel {name}"),
    }
}

fn shown_event(event: &RawEvent) -> String {
    let RawEvent { event_type, schema_version, data, metadata, tags } = event;
    let mut text = event_type.clone();
    // Writing to a string cannot fail.
    if *schema_version != 1 {
        let _ = write!(text, " version {schema_version}");
    }
    let _ = write!(text, " {}", canonical(data));
    if let Some(metadata) = metadata {
        let _ = write!(text, " with metadata {}", canonical(metadata));
    }
    for tag in tags {
        let _ = write!(text, " tagged {tag}");
    }
    text
}

/// JSON in its one form, or as it is if it has none.
fn canonical(json: &str) -> String {
    CanonicalJson::parse(json).map_or_else(|_| json.to_owned(), |canonical| canonical.as_str().to_owned())
}
