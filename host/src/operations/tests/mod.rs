//! Operators, workers and readers on a real Postgres with real modules.

mod activate;
mod compare;
mod component;
mod locks;
mod numbers;
mod read;
mod steps;
mod upload;

use std::time::Duration;

use super::*;
use crate::{
    builds::{Activation, BuildState, RetiredBuilds},
    event_log::Position,
    modules::ModuleVersion,
    postgres::test_database::TestDatabase,
    projector::ProjectorSettings,
    read_model::Identifier,
    server::{ServerSettings, tests::TestHost},
};
