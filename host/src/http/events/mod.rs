//! `/v1/events`

mod append;
mod describe;
mod import;
mod read;

pub(super) use self::{append::append, describe::describe, read::read};
