//! `/v1/projections`

mod compare;
mod configure;
mod dead_letters;
mod delete;
mod describe;
mod follow;
mod history;
mod list;
mod operate;
mod verify;

pub(super) use self::{
    compare::compare,
    configure::configure,
    dead_letters::dead_letters,
    delete::{delete, end_verification, retire},
    describe::describe,
    history::history,
    list::{get, list},
    operate::{activate, pause, rebuild, resume, retry, rollback},
    verify::{verification, verify},
};
