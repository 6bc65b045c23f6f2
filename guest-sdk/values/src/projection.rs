//! The description of a projection.

use crate::{
    declaration::Table,
    description, names, tables,
    wanted::{self, Wanted},
};

pub use crate::wanted::{is_schema_version, not_a_schema_version};

/// The parts of a projection's description that are checked.
#[derive(Clone, Debug)]
pub struct Projection<'a> {
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// Its tables.
    pub tables: Vec<Table<'a>>,
    /// The events that it wants.
    pub wanted: Wanted<'a>,
}

/// Checks the description of the projection `name`, and returns everything that is wrong with it, in words.
#[must_use]
pub fn check(name: &str, projection: &Projection<'_>) -> Vec<String> {
    let mut reasons = description::check_of_module(projection.description);
    reasons.extend(tables::check(&projection.tables, 1, |table| check_view(name, table.name)));
    reasons.extend(wanted::check(&projection.wanted));
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
