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
mod past_builds;
mod verify;
mod verify_snapshots;

pub(super) use self::{
    compare::compare,
    configure::configure,
    dead_letters::dead_letters,
    delete::{delete, end_verification, retire},
    describe::{describe, past_build as past_build_example},
    history::history,
    list::{get, list},
    operate::{activate, pause, rebuild, resume, retry, rollback},
    past_builds::{past_build, past_builds, retire_past},
    verify::{verification, verify},
    verify_snapshots::verify_snapshots,
};
