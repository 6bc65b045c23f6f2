//! The description of a projection.

use std::collections::HashSet;

use crate::{
    declaration::{self, Table},
    description,
    limits::{DEFAULT_MAX_TAG_BYTES, MAX_SCHEMA_VERSION, MAX_TABLES, MAX_WANTED},
    names,
};

/// The parts of a projection's description that are checked.
#[derive(Clone, Debug)]
pub struct Projection<'a> {
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// Its tables.
    pub tables: Vec<Table<'a>>,
    /// Whether it wants events of every type.
    pub all_types: bool,
    /// The types of events that it knows, each with the schema version that it reads, if it says so.
    pub event_types: Vec<(&'a str, Option<u32>)>,
    /// The categories of streams that it wants.
    pub categories: Vec<&'a str>,
    /// The tags that it wants.
    pub tags: Vec<&'a str>,
}

/// Checks the description of the projection `name`, and returns everything that is wrong with it, in words.
#[must_use]
pub fn check(name: &str, projection: &Projection<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(Err(reason)) = projection.description.map(description::check) {
        reasons.push(format!("the description {reason}"));
    }
    let count = projection.tables.len();
    if count == 0 || count > MAX_TABLES {
        reasons.push(format!("tables: {count}; 1 to {MAX_TABLES} are allowed"));
    }
    let mut tables = HashSet::new();
    for table in &projection.tables {
        if !tables.insert(table.name) {
            reasons.push(format!("table `{}` is declared twice", table.name));
        }
        let errors = declaration::check(table);
        if errors.is_empty() {
            reasons.extend(check_view(name, table.name).err());
        }
        reasons.extend(errors.iter().map(ToString::to_string));
    }
    check_references(&projection.tables, &mut reasons);
    check_wanted(projection, &mut reasons);
    reasons
}

/// Checks that each reference is to the whole key of a table of the projection, by columns of its types. That the columns exist is
/// checked with their table.
fn check_references(tables: &[Table<'_>], reasons: &mut Vec<String>) {
    for (table, reference) in tables.iter().flat_map(|table| table.references.iter().map(move |its| (table, its))) {
        let (from, to) = (table.name, reference.table);
        let Some(target) = tables.iter().find(|target| target.name == to) else {
            reasons.push(format!("table `{from}` references `{to}`, which is not a table of the projection"));
            continue;
        };
        if reference.columns.len() != target.key.len() {
            let (columns, key) = (reference.columns.join(", "), target.key.join(", "));
            reasons.push(format!(
                "table `{from}`: ({columns}) references `{to}`, whose key is ({key}): give a column for each"
            ));
            continue;
        }
        for (column, key) in reference.columns.iter().zip(&target.key) {
            if let (Some(left), Some(right)) = (table.column(column), target.column(key))
                && left.column_type != right.column_type
            {
                reasons.push(format!(
                    "table `{from}`: column `{column}` is {}, but it references `{to}`, whose key column `{key}` is {}",
                    left.column_type, right.column_type
                ));
            }
        }
    }
}

/// The name of the view on a projection's table.
#[must_use]
pub fn view_name(projection: &str, table: &str) -> String {
    format!("{projection}_{table}")
}

fn check_view(projection: &str, table: &str) -> Result<(), String> {
    names::check(&view_name(projection, table))
        .map_err(|error| format!("table `{table}`: its view in schema read_models: {error}"))
}

fn check_wanted(projection: &Projection<'_>, reasons: &mut Vec<String>) {
    let Projection { all_types, event_types, categories, tags, .. } = projection;
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
