//! Tests of whole queries: errors, results from a real Postgres, and properties of all queries.

mod answers;
mod cursors;
pub(super) mod database;
mod errors;
pub(super) mod full_text;
mod json_paths;
mod model;
mod operators;
mod properties;
mod robustness;
mod strategies;

pub(super) use crate::read_model::samples::table;
