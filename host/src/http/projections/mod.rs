//! `/v1/projections`

mod configure;
mod dead_letters;
mod delete;
mod follow;
mod history;
mod list;
mod operate;

pub(super) use self::{
    configure::configure,
    dead_letters::dead_letters,
    delete::{delete, retire},
    history::history,
    list::{get, list},
    operate::{activate, pause, rebuild, resume, retry, rollback},
};
