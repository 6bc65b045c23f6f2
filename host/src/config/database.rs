//! Which Postgres.

use clap::Args;

/// Which Postgres the host uses.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Postgres to use, as postgres://user:password@host:port/database; without it, the host starts a private one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Connections to Postgres that the host opens at most, beside four that it keeps for itself
    #[arg(long, env = "GNOMON_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(4..))]
    pub max_connections: u32,
}

impl std::fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL bears a password.
        f.debug_struct("DatabaseOptions")
            .field("database_url", &self.database_url.as_ref().map(|_| "…"))
            .field("max_connections", &self.max_connections)
            .finish()
    }
}
