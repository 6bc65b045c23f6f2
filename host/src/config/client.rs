//! Which host the command line talks to.

use clap::Args;

/// Which host the command line talks to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Where the host answers
    #[arg(long, env = "GNOMON_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub url: String,
}
