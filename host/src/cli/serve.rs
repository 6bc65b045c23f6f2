//! `gnomon serve`

use clap::Args;
use tracing::info;

use super::host::{HostOptions, RunningHost, stop_signal};

/// Run a host until Ctrl-C or SIGTERM.
#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(flatten)]
    host: HostOptions,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut host = tokio::select! {
            started = RunningHost::start(&self.host) => started?,
            signal = stop_signal() => {
                info!("stopping before the host was ready");
                return Ok(signal?);
            }
        };
        info!("read models are views in the schema read_models: {}", self.host.psql());
        tokio::select! {
            error = host.failed() => {
                host.stop().await?;
                return Err(error);
            }
            signal = stop_signal() => signal?,
        }
        info!("stopping");
        host.stop().await
    }
}
