//! `/v1/reactors`

mod activate;
mod configure;
mod dead_letters;
mod delete;
mod describe;
mod history;
mod list;
mod operate;
mod rehearse;

pub(super) use self::{
    activate::activate,
    configure::configure,
    dead_letters::dead_letters,
    delete::delete,
    describe::{REACTOR_CODES, describe},
    history::history,
    list::{get, list},
    operate::{pause, resume, retry},
    rehearse::rehearse,
};
