//! Limits of the HTTP API.

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::http::{CorsOrigin, HttpSettings};

/// Limits of the HTTP API.
#[derive(Args, Clone, Debug)]
pub(super) struct HttpOptions {
    /// Maximum bytes of the body of a request that is neither an import nor a module
    #[arg(long, env = "GNOMON_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_body_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_body_bytes: usize,

    /// Maximum bytes of an import
    #[arg(long, env = "GNOMON_MAX_IMPORT_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_import_bytes,
        value_parser = between::<u64>(1, 1 << 40))]
    max_import_bytes: u64,

    /// Maximum events or streams of one page
    #[arg(long, env = "GNOMON_MAX_PAGE", value_name = "NUMBER", default_value_t = HttpSettings::default().max_page,
        value_parser = between::<usize>(1, 100_000))]
    max_page: usize,

    /// Maximum rows of one page of a read model
    #[arg(long, env = "GNOMON_MAX_ROWS", value_name = "NUMBER", default_value_t = HttpSettings::default().max_rows,
        value_parser = between::<u64>(1, 1_000_000))]
    max_rows: u64,

    /// Maximum bytes of the events of one page, which ends early then
    #[arg(long, env = "GNOMON_MAX_PAGE_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_page_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_page_bytes: usize,

    /// Maximum bytes of one answer of a read model
    #[arg(long, env = "GNOMON_MAX_ANSWER_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_answer_bytes,
        value_parser = between::<usize>(1, 1 << 30))]
    max_answer_bytes: usize,

    /// Maximum bytes of all answers that are being sent. Half of them are for followers
    #[arg(long, env = "GNOMON_MAX_SENDING_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_sending_bytes,
        value_parser = between::<usize>(1, 1 << 38))]
    max_sending_bytes: usize,

    /// Seconds after which a query on a read model is ended
    #[arg(long, env = "GNOMON_QUERY_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().query_timeout),
        value_parser = Seconds::between(0.001, 86_400.0))]
    query_timeout: Seconds,

    /// Seconds after which the connection of a client that reads nothing of its answer is closed
    #[arg(long, env = "GNOMON_SEND_TIMEOUT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().send_timeout),
        value_parser = Seconds::between(0.1, 86_400.0))]
    send_timeout: Seconds,

    /// Maximum seconds that a request may wait for a position or for a comparison
    #[arg(long, env = "GNOMON_MAX_WAIT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().max_wait),
        value_parser = Seconds::between(0.0, 86_400.0))]
    max_wait: Seconds,

    /// An origin whose pages may read with a browser, such as https://app.example, or * for each; repeatable. Without it, browsers
    /// show answers to pages of the host's own origin only
    #[arg(long = "cors-origin", env = "GNOMON_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<CorsOrigin>,
}

impl HttpOptions {
    pub(super) fn settings(&self) -> HttpSettings {
        HttpSettings {
            max_body_bytes: self.max_body_bytes,
            max_import_bytes: self.max_import_bytes,
            max_page: self.max_page,
            max_rows: self.max_rows,
            max_page_bytes: self.max_page_bytes,
            max_answer_bytes: self.max_answer_bytes,
            max_sending_bytes: self.max_sending_bytes,
            query_timeout: self.query_timeout.0,
            send_timeout: self.send_timeout.0,
            max_wait: self.max_wait.0,
            cors_origins: self.cors_origins.clone(),
        }
    }
}
