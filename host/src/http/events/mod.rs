//! `/v1/events`

mod append;
mod import;
mod read;

pub(super) use self::{append::append, read::read};
