//! What the handlers work on.

use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::settings::HttpSettings;
use crate::{event_log::EventLog, modules::Modules, operations::Operations, queries::Queries};

/// What the handlers work on.
#[derive(Clone, Debug)]
pub struct Api {
    /// The log.
    pub log: EventLog,
    /// Uploaded modules.
    pub modules: Modules,
    /// What operators do.
    pub operations: Operations,
    /// What readers do.
    pub queries: Queries,
    /// For the question whether Postgres answers.
    pub pool: PgPool,
    /// Settings.
    pub settings: Arc<HttpSettings>,
    /// Streams of events end when this is cancelled; they would never end by themselves.
    pub closing: CancellationToken,
}
