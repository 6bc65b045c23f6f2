//! Operators, workers and readers on a real Postgres with real modules.

mod compare;
mod component;
pub(crate) mod host;
mod read;
mod steps;
mod upload;

use std::time::Duration;

use super::*;
use crate::{
    builds::{Activation, BuildId, BuildState, BuildSummary},
    event_log::{EventLog, Position},
    postgres::test_database::TestDatabase,
    projector::{Projector, ProjectorSettings},
    queries::Queries,
    read_model::Identifier,
};
