//! `/v1/streams`

mod append;
mod list;
mod read;

pub(super) use self::{append::append, list::list, read::read};
