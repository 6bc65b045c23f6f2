//! `/v1/events`

mod append;
mod import;
mod read;
mod upcasted;
pub(super) mod wire;

pub(super) use self::{append::append, read::read};
