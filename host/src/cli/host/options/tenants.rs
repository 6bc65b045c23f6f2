//! The tenants of a host.

use std::path::PathBuf;

use clap::Args;

/// The tenants of a host.
#[derive(Args, Clone, Debug)]
pub(super) struct TenantOptions {
    /// JSON file that names several tenants, each with a database of its own and its limits; docs/tenants.md describes it. Without it, the host has one log
    #[arg(long, env = "GNOMON_TENANTS", value_name = "FILE")]
    pub(super) tenants: Option<PathBuf>,
}
