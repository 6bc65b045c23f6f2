//! Settings of the HTTP API.

use std::time::Duration;

use super::cors::CorsOrigin;
use crate::queries::ReadLimits;

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
    /// Bytes of the events of one page: it ends with the event that reaches them.
    pub max_page_bytes: usize,
    /// Bytes of an answer of a read model.
    pub max_answer_bytes: usize,
    /// Bytes of all answers that are being sent. Half of them are for followers.
    pub max_sending_bytes: usize,
    /// For how long a query on a read model may run.
    pub query_timeout: Duration,
    /// How long a client may read nothing of an answer before its connection is closed.
    pub send_timeout: Duration,
    /// How long a client may ask to wait for a position or a comparison.
    pub max_wait: Duration,
    /// Origins whose pages may read with a browser.
    pub cors_origins: Vec<CorsOrigin>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let reads = ReadLimits::default();
        Self {
            max_body_bytes: 8 * 1024 * 1024,
            max_import_bytes: 4 * 1024 * 1024 * 1024,
            max_page: 1000,
            max_rows: reads.max_rows,
            max_page_bytes: 4 * 1024 * 1024,
            max_answer_bytes: reads.max_bytes,
            max_sending_bytes: 512 * 1024 * 1024,
            query_timeout: reads.timeout,
            send_timeout: Duration::from_secs(30),
            max_wait: Duration::from_secs(60),
            cors_origins: Vec::new(),
        }
    }
}
