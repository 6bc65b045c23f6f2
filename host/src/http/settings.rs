//! Settings of the HTTP API.

use std::time::Duration;

use super::cors::CorsOrigin;

/// Settings of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Bytes of the body of a request that is neither an import nor a module.
    pub max_body_bytes: usize,
    /// Bytes of the body of an import.
    pub max_import_bytes: u64,
    /// Items of one page of events, streams, dead letters or history.
    pub max_page: usize,
    /// Rows of one page of a read model.
    pub max_rows: u64,
    /// How long a client may ask to wait for a position or a comparison.
    pub max_wait: Duration,
    /// Origins whose pages may read with a browser.
    pub cors_origins: Vec<CorsOrigin>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 8 * 1024 * 1024,
            max_import_bytes: 4 * 1024 * 1024 * 1024,
            max_page: 1000,
            max_rows: 10_000,
            max_wait: Duration::from_secs(60),
            cors_origins: Vec::new(),
        }
    }
}
