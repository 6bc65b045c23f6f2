//! `/v1/events`

mod answer;
mod append;
mod describe;
mod explain;
mod import;
mod query;
mod read;

pub(super) use self::{append::append, describe::describe, explain::explain, query::query, read::read};
