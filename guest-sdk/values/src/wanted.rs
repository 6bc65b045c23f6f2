//! The events that a module wants.

use std::collections::HashSet;

use crate::{
    limits::{DEFAULT_MAX_TAG_BYTES, MAX_SCHEMA_VERSION, MAX_WANTED},
    names,
};

/// The events that a module wants of the log.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Whether it wants events of every type.
    pub all_types: bool,
    /// The types of events that it knows, each with the schema version that it reads, if it says so.
    pub event_types: Vec<(&'a str, Option<u32>)>,
    /// The categories of streams that it wants.
    pub categories: Vec<&'a str>,
    /// The tags that it wants.
    pub tags: Vec<&'a str>,
}

/// Checks what a module wants, and returns everything that is wrong with it, in words.
pub(crate) fn check(wanted: &Wanted<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let Wanted { all_types, event_types, categories, tags } = wanted;
    if [event_types.len(), categories.len(), tags.len()].iter().any(|count| *count > MAX_WANTED) {
        reasons.push(format!(
            "event types: {}, categories: {}, tags: {}; at most {MAX_WANTED} of each are allowed",
            event_types.len(),
            categories.len(),
            tags.len()
        ));
    }
    if event_types.is_empty() && !all_types {
        reasons.push("it wants no type of event".to_owned());
    }
    let mut types = HashSet::new();
    for (event_type, schema_version) in event_types {
        if !types.insert(event_type) {
            reasons.push(format!("event type `{event_type}` is named twice"));
        }
        reasons.extend(names::check_event_type(event_type).err().map(|error| error.to_string()));
        if let Some(version) = schema_version.filter(|version| !is_schema_version(*version)) {
            reasons.push(format!("event type `{event_type}`: {}", not_a_schema_version(version)));
        }
    }
    for category in categories {
        reasons.extend(names::check_category(category).err().map(|error| error.to_string()));
    }
    let mut seen = HashSet::new();
    for tag in tags {
        if !seen.insert(tag) {
            reasons.push(format!("tag `{tag}` is named twice"));
        }
        reasons.extend(names::check_tag(tag).err().map(|error| error.to_string()));
        if tag.len() > DEFAULT_MAX_TAG_BYTES {
            let bytes = tag.len();
            reasons.push(format!("the tag `{tag}` has {bytes} bytes; at most {DEFAULT_MAX_TAG_BYTES} are allowed"));
        }
    }
    reasons
}

/// Whether a number can be the schema version of an event.
#[must_use]
pub fn is_schema_version(number: u32) -> bool {
    (1..=MAX_SCHEMA_VERSION).contains(&number)
}

/// The message about a number that is not a schema version.
#[must_use]
pub fn not_a_schema_version(number: u32) -> String {
    format!("the schema version {number} is not between 1 and {MAX_SCHEMA_VERSION}")
}
