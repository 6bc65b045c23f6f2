//! Tests of whole queries: errors, results from a real Postgres, and properties of all queries.

mod answers;
pub(super) mod company;
mod cursors;
mod database;
mod embedding_answers;
mod embedding_errors;
mod embedding_model;
mod embedding_properties;
mod embedding_robustness;
mod embedding_strategies;
mod errors;
mod full_text;
mod json_paths;
mod model;
mod operators;
mod properties;
mod record_sets;
mod robustness;
mod snippets;
mod strategies;

pub(super) use crate::read_model::samples::table;
