//! Tests of whole queries: errors, results from a real Postgres, and properties of all queries.

mod answers;
pub(super) mod company;
mod database;
mod embedding_answers;
mod embedding_errors;
mod embedding_model;
mod embedding_properties;
mod embedding_robustness;
mod embedding_strategies;
mod errors;
mod model;
mod properties;
mod robustness;
mod strategies;

pub(super) use crate::read_model::samples::table;
