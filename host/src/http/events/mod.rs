//! `/v1/events`

mod append;
mod describe;
mod import;
mod read;

pub(super) use self::{describe::describe, append::append, read::read};
