//! `gnomon serve`

use clap::Args;
use tracing::info;

use super::host::{HostOptions, RunningHost, StopSignals};

/// Run a host until Ctrl-C or SIGTERM. A second one ends it at once.
#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(flatten)]
    host: HostOptions,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (timeout, mut signals) = (self.host.shutdown_timeout(), StopSignals::listen()?);
        let mut host = tokio::select! {
            started = RunningHost::start(&self.host) => started?,
            () = signals.stop(timeout) => {
                info!("stopping before the host was ready");
                return Ok(());
            }
        };
        if self.host.tenants().is_none() {
            info!("read models are views in the schema read_models: {}", self.host.psql());
        }
        tokio::select! {
            error = host.failed() => {
                host.stop(signals).await?;
                return Err(error);
            }
            () = signals.stop(timeout) => {}
        }
        info!("stopping");
        host.stop(signals).await
    }
}
