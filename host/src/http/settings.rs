//! Settings of the HTTP API.

use std::time::Duration;

use super::{cors::CorsOrigin, known_host::AllowedHost};
use crate::queries::ReadLimits;

/// Settings of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Bytes of the body of a request that is neither an import nor a module.
    pub max_body_bytes: usize,
    /// Bytes of the body of an import.
    pub max_import_bytes: u64,
    /// Bytes of all bodies that are in memory, together.
    pub max_bodies_bytes: usize,
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
    /// Whether queries on read models may aggregate rows.
    pub aggregates: bool,
    /// Whether the plans of queries on read models are shown.
    pub plans: bool,
    /// For how long a query on a read model may run.
    pub query_timeout: Duration,
    /// For how long all rows of a read model may be read as a file.
    pub export_timeout: Duration,
    /// How long a client may ask to wait for a position or a comparison.
    pub max_wait: Duration,
    /// Whether who appends an event is named in its metadata.
    pub actor_in_metadata: bool,
    /// Origins whose pages may read with a browser.
    pub cors_origins: Vec<CorsOrigin>,
    /// Names by which clients may call the host, beside addresses and localhost.
    pub allowed_hosts: Vec<AllowedHost>,
    /// How many clients the host has at once.
    pub connections: ConnectionSettings,
    /// How much the host does at once.
    pub work: WorkSettings,
}

/// Bounds of the connections of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Connections that are open at once.
    pub max_client_connections: usize,
    /// How long a connection may be open until the whole head of its next request is there.
    pub idle_timeout: Duration,
    /// How long a client may read nothing of an answer that it gets.
    pub write_timeout: Duration,
    /// How long the requests under way may take when the host stops.
    pub closing_timeout: Duration,
}

/// Bounds of the requests under way. What is beyond them is refused at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkSettings {
    /// Appends and imports.
    pub max_appends: usize,
    /// Reads that wait for nothing.
    pub max_reads: usize,
    /// Requests that wait for a position or for a comparison.
    pub max_waits: usize,
    /// What else changes something.
    pub max_operations: usize,
    /// Answers that follow.
    pub max_followers: usize,
    /// Read models that are read as files. Each takes a connection to Postgres and some MiB.
    pub max_exports: usize,
    /// How long a client may send nothing of a body.
    pub body_timeout: Duration,
    /// How long a request may take until its answer begins, beside what it asks to wait. Imports and
    /// comparisons take as long as they need.
    pub request_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let reads = ReadLimits::default();
        Self {
            max_body_bytes: 8 * 1024 * 1024,
            max_import_bytes: 4 * 1024 * 1024 * 1024,
            max_bodies_bytes: 256 * 1024 * 1024,
            max_page: 1000,
            max_rows: reads.max_rows,
            max_page_bytes: 4 * 1024 * 1024,
            max_answer_bytes: reads.max_bytes,
            max_sending_bytes: 512 * 1024 * 1024,
            aggregates: reads.aggregates,
            plans: false,
            query_timeout: reads.timeout,
            export_timeout: reads.export_timeout,
            max_wait: Duration::from_secs(60),
            actor_in_metadata: false,
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            connections: ConnectionSettings::default(),
            work: WorkSettings::default(),
        }
    }
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max_client_connections: 4096,
            // Longer than proxies (nginx: 60 s) and clients (reqwest: 90 s) keep theirs, so that they close first and no request meets a
            // connection that is just being closed.
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(30),
            closing_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for WorkSettings {
    fn default() -> Self {
        Self {
            // Appends wait for one another anyway, and many are committed together.
            max_appends: 1024,
            // Some times the connections to Postgres: what waits longer for one is better tried again.
            max_reads: 256,
            max_waits: 2048,
            max_operations: 64,
            max_followers: 2048,
            max_exports: 4,
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(120),
        }
    }
}
