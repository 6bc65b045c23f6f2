//! The HTTP API. Only this room knows status codes.

mod body;
mod errors;
mod events;
mod extract;
mod health;
mod modules;
mod names;
mod page;
mod postgrest;
mod prefer;
mod problem;
mod projections;
mod router;
mod sse;
mod streams;
mod upcasters;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{event_log::EventLog, modules::Modules, operations::Operations, queries::Queries};

pub use self::router::router;

/// Settings of the HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Bytes of the body of a request that is not an import or a module.
    pub max_body_bytes: usize,
    /// Bytes of the body of an import.
    pub max_import_bytes: u64,
    /// Events, streams of one page.
    pub max_page: usize,
    /// Rows of one page of a read model.
    pub max_rows: u64,
    /// How long a reader may ask to wait for a position.
    pub max_wait: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 8 * 1024 * 1024,
            max_import_bytes: 4 * 1024 * 1024 * 1024,
            max_page: 1000,
            max_rows: 10_000,
            max_wait: Duration::from_secs(60),
        }
    }
}

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

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, api: Api) -> std::io::Result<()> {
    let closing = api.closing.clone();
    axum::serve(listener, router(api)).with_graceful_shutdown(closing.cancelled_owned()).await
}

#[cfg(test)]
mod tests;
