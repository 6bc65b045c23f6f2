//! Where a host listens.

use std::net::SocketAddr;

use clap::Args;

use crate::server::ServerSettings;

/// Where a host listens.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ListenOptions {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "GNOMON_LISTEN", value_name = "ADDRESS", default_value_t = ServerSettings::default().listen)]
    pub(in crate::cli) listen: SocketAddr,
}
