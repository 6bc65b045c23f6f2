//! `/v1/streams`

mod append;
mod describe;
mod list;
mod read;

pub(super) use self::{
    append::append,
    describe::{APPEND_CODES, describe},
    list::list,
    read::read,
};
