//! Who may do what on a host.

use clap::{Args, ValueEnum};

use crate::access::{AccessSettings, Authentication};

/// Who may do what on a host.
#[derive(Args, Clone, Debug)]
pub(super) struct AccessOptions {
    /// Who has to say who they are. See docs/access.md
    #[arg(long, env = "GNOMON_AUTH", value_name = "WHO", default_value = "open")]
    auth: Auth,

    /// Let other machines reach a host that asks nobody who they are: behind a proxy that authenticates, or in a network that you trust
    #[arg(long, env = "GNOMON_INSECURE")]
    insecure: bool,

    /// Answer /metrics to everybody. Names of streams, projections and types of events are in it
    #[arg(long, env = "GNOMON_OPEN_METRICS")]
    open_metrics: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Auth {
    /// Nobody: whoever reaches the host may do everything. Such a host listens on this machine only
    Open,
    /// Everybody, by a token that `gnomon tokens create` makes
    Tokens,
}

impl AccessOptions {
    pub(super) fn settings(&self) -> AccessSettings {
        AccessSettings {
            authentication: match self.auth {
                Auth::Open => Authentication::Open,
                Auth::Tokens => Authentication::Tokens,
            },
            insecure: self.insecure,
            open_metrics: self.open_metrics,
        }
    }
}
