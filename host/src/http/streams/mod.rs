//! `/v1/streams`

mod append;
mod describe;
mod list;
mod read;

pub(super) use self::{describe::{APPEND_CODES, describe}, append::append, list::list, read::read};
