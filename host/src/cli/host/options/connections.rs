//! The connections to Postgres that a host opens.

use std::time::Duration;

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::server::ServerSettings;

/// The connections to Postgres that a host opens.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ConnectionOptions {
    /// Maximum connections to Postgres that the host opens, beside four that it keeps for itself
    #[arg(long, env = "GNOMON_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = ServerSettings::default().max_connections,
        value_parser = between::<u32>(4, 1000))]
    pub(in crate::cli) max_connections: u32,

    /// Seconds for which a host that starts tries to connect to Postgres
    #[arg(long, env = "GNOMON_CONNECT_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(ServerSettings::default().connect_timeout), value_parser = Seconds::between(0.1, 86_400.0))]
    connect_timeout: Seconds,
}

impl ConnectionOptions {
    /// For how long a host that starts tries to connect.
    pub(in crate::cli) fn connect_timeout(&self) -> Duration {
        self.connect_timeout.0
    }
}
