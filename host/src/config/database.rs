//! The Postgres of the host.

use clap::Args;

/// The Postgres that the host uses.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Postgres to use, as postgres://user:password@host:port/database; without it, the host starts a private one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

impl std::fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL has a password in it.
        f.debug_struct("DatabaseOptions").field("database_url", &self.database_url.as_ref().map(|_| "…")).finish()
    }
}
