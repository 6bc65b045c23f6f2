//! `/v1/events`

mod answer;
mod append;
mod describe;
mod import;
mod query;
mod read;

pub(super) use self::{append::append, describe::describe, query::query, read::read};
