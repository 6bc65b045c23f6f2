//! The address of a host.

use std::net::SocketAddr;

use clap::Args;

use crate::server::ServerSettings;

/// The address of a host.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ListenOptions {
    /// Address and port to listen on; port 0 picks a free port
    #[arg(long, env = "GNOMON_LISTEN", value_name = "ADDRESS", default_value_t = ServerSettings::default().listen)]
    pub(in crate::cli) listen: SocketAddr,
}
