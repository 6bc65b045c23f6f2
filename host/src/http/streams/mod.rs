//! `/v1/streams`

mod append;
mod binary_cloud_event;
mod cloud_events;
mod describe;
mod history;
mod list;
mod read;
mod state;
mod verify;

pub(super) use self::{
    append::append,
    describe::{APPEND_CODES, describe},
    history::history,
    list::list,
    read::read,
    state::state,
    verify::verify,
};
