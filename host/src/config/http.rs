//! The HTTP API.

use std::{net::SocketAddr, time::Duration};

use clap::Args;

/// The HTTP API.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "GNOMON_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub listen: SocketAddr,

    /// Bytes that the body of a request may have that is no import and no module
    #[arg(long, env = "GNOMON_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 8 * 1024 * 1024)]
    pub max_body_bytes: usize,

    /// Bytes that an import may have
    #[arg(long, env = "GNOMON_MAX_IMPORT_BYTES", value_name = "BYTES", default_value_t = 4 * 1024 * 1024 * 1024)]
    pub max_import_bytes: u64,

    /// Events or streams that one page may have
    #[arg(long, env = "GNOMON_MAX_PAGE", value_name = "NUMBER", default_value_t = 1000)]
    pub max_page: usize,

    /// Rows that one page of a read model may have
    #[arg(long, env = "GNOMON_MAX_ROWS", value_name = "NUMBER", default_value_t = 10_000)]
    pub max_rows: u64,

    /// Seconds that a reader may ask to wait for a position
    #[arg(long, env = "GNOMON_MAX_WAIT", value_name = "SECONDS", default_value = "60", value_parser = super::projector::seconds)]
    pub max_wait: Duration,
}
