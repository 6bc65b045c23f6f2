//! What is tested of a query as a whole: its errors, its answers from a real Postgres, and what holds for all queries.

mod answers;
mod database;
mod errors;
mod model;
mod properties;
mod robustness;
mod strategies;

pub(super) use crate::read_model::samples::table;
