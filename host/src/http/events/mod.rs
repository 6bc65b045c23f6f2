//! `/v1/events`

mod append;
mod import;
mod read;
pub(super) mod wire;

pub(super) use self::{append::append, read::read};
