//! What the HTTP API takes and answers.

use clap::Args;

use super::seconds::Seconds;
use crate::http::HttpSettings;

/// What the HTTP API takes and answers.
#[derive(Args, Clone, Debug)]
pub(super) struct HttpOptions {
    /// Bytes that the body of a request may have that is no import and no module
    #[arg(long, env = "GNOMON_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_body_bytes)]
    max_body_bytes: usize,

    /// Bytes that an import may have
    #[arg(long, env = "GNOMON_MAX_IMPORT_BYTES", value_name = "BYTES", default_value_t = HttpSettings::default().max_import_bytes)]
    max_import_bytes: u64,

    /// Events or streams that one page may have
    #[arg(long, env = "GNOMON_MAX_PAGE", value_name = "NUMBER", default_value_t = HttpSettings::default().max_page)]
    max_page: usize,

    /// Rows that one page of a read model may have
    #[arg(long, env = "GNOMON_MAX_ROWS", value_name = "NUMBER", default_value_t = HttpSettings::default().max_rows)]
    max_rows: u64,

    /// Seconds that a reader may ask to wait for a position
    #[arg(long, env = "GNOMON_MAX_WAIT", value_name = "SECONDS", default_value_t = Seconds(HttpSettings::default().max_wait))]
    max_wait: Seconds,
}

impl HttpOptions {
    pub(super) fn settings(&self) -> HttpSettings {
        HttpSettings {
            max_body_bytes: self.max_body_bytes,
            max_import_bytes: self.max_import_bytes,
            max_page: self.max_page,
            max_rows: self.max_rows,
            max_wait: self.max_wait.0,
        }
    }
}
