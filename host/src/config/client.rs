//! The host that a command talks to.

use clap::Args;

/// The host that a command talks to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// URL of the host
    #[arg(long, env = "GNOMON_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub url: String,
}
