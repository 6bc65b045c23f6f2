//! Tests of whole queries: errors, results from a real Postgres, and properties of all queries.

mod answers;
mod database;
mod errors;
mod model;
mod properties;
mod robustness;
mod strategies;

pub(super) use crate::read_model::samples::table;
