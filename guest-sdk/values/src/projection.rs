//! The description of a projection.

use std::collections::HashSet;

use crate::{
    declaration::{self, Table},
    limits::{MAX_SCHEMA_VERSION, MAX_TABLES, MAX_WANTED},
    names,
};

/// The parts of a projection's description that are checked.
#[derive(Clone, Debug)]
pub struct Projection<'a> {
    /// Its tables.
    pub tables: Vec<Table<'a>>,
    /// Whether it wants events of every type.
    pub all_types: bool,
    /// The types of events that it knows, each with the schema version that it reads, if it says so.
    pub event_types: Vec<(&'a str, Option<u32>)>,
    /// The categories of streams that it wants.
    pub categories: Vec<&'a str>,
}

/// Checks the description of the projection `name`, and returns everything that is wrong with it, in words.
#[must_use]
pub fn check(name: &str, projection: &Projection<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
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
    check_wanted(projection, &mut reasons);
    reasons
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
    let Projection { all_types, event_types, categories, .. } = projection;
    if event_types.len() > MAX_WANTED || categories.len() > MAX_WANTED {
        reasons.push(format!(
            "event types: {}, categories: {}; at most {MAX_WANTED} of each are allowed",
            event_types.len(),
            categories.len()
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
