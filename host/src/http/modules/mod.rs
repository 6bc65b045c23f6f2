//! `/v1/modules`

mod describe;
mod download;
mod list;
mod upload;

pub(super) use self::{
    describe::describe,
    download::download,
    list::{get, list, version},
    upload::upload,
};

use super::problem::{Code, Problem};
use crate::{modules::ModuleVersion, read_model::Identifier};

fn no_module(name: &Identifier) -> Problem {
    Problem::new(Code::ModuleNotFound, format!("there is no module `{name}`"))
}

fn no_version(name: &Identifier, version: ModuleVersion) -> Problem {
    Problem::new(Code::ModuleNotFound, format!("module `{name}` has no version {version}"))
}
