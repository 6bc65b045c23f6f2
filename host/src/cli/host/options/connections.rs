//! How many connections to Postgres a host opens.

use clap::Args;

use crate::server::ServerSettings;

/// How many connections to Postgres a host opens.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ConnectionOptions {
    /// Maximum connections to Postgres that the host opens, beside four that it keeps for itself
    #[arg(long, env = "GNOMON_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = ServerSettings::default().max_connections,
        value_parser = clap::value_parser!(u32).range(4..))]
    pub(in crate::cli) max_connections: u32,
}
