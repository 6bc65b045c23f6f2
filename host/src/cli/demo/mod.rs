//! `gnomon demo`: from events to read models on real flights, a file for each step.

mod carriers;
mod caught_up;
mod import;
mod live;
mod modules;
mod next_steps;
mod next_version;
mod reactor;
mod receiver;
mod start;
mod step;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use self::{
    receiver::Receiver,
    step::{Steps, title},
};
use super::{
    client::Client,
    host::{
        RunningHost, StopSignals,
        options::{ConnectionOptions, listen_address},
        this_program,
    },
    output::say,
    sources::Sources,
};
use crate::{
    config::{DataDirOptions, DatabaseOptions},
    server::ServerSettings,
};

/// Show how Gnomon works with a week of real flights: from events through WebAssembly modules to read models.
///
/// The demo starts a host with a private Postgres, builds and uploads modules, imports 18,262 events and shows a read model. Then
/// it deploys the next version of a module beside the old one, compares the two, and activates the new one while clients query. Last, a
/// reactor answers late flights with messages, which arrive at a receiver of the demo's own. The host and the receiver run until Ctrl-C. The
/// demo can be started again on the same data.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Exit at the end instead of running until Ctrl-C
    #[arg(long)]
    exit: bool,

    /// Address and port to listen on [default: 127.0.0.1:7070, or a free port if that is in use]
    #[arg(long, env = "GNOMON_LISTEN", value_name = "ADDRESS", value_parser = listen_address)]
    listen: Option<SocketAddr>,

    /// Folder of Gnomon's sources, which have the modules and the flights [default: the sources from which this program was built]
    #[arg(long, env = "GNOMON_SOURCES", value_name = "FOLDER")]
    sources: Option<PathBuf>,

    #[command(flatten)]
    data_dir: DataDirOptions,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    connections: ConnectionOptions,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let sources = Sources::find(self.sources.clone())?;
        title("Gnomon: a week of real flights, from events to read models");
        let mut steps = Steps::default();
        let (timeout, mut signals) = (ServerSettings::default().shutdown_timeout, StopSignals::listen()?);
        let receiver = Receiver::start().await?;
        let mut host = start::start(&mut steps, self.settings().await, &self.data_dir, &self.database).await?;
        let shown = tokio::select! {
            shown = self.show(&mut steps, &host, &sources, &receiver) => shown,
            () = signals.stop(timeout) => Ok(()),
        };
        if shown.is_ok() && steps.all_done() && !self.exit {
            receiver.say_more();
            say("\nThe host runs until Ctrl-C.");
            tokio::select! {
                error = host.failed() => {
                    host.stop(signals).await?;
                    return Err(error);
                }
                () = signals.stop(timeout) => {}
            }
        }
        say("\nstopping the host");
        host.stop(signals).await?;
        shown
    }

    async fn settings(&self) -> ServerSettings {
        ServerSettings {
            listen: match self.listen {
                Some(listen) => listen,
                None => start::free_address().await,
            },
            max_connections: self.connections.max_connections,
            connect_timeout: self.connections.connect_timeout(),
            compiler: Some(this_program()),
            ..ServerSettings::default()
        }
    }

    /// Shows one step after the other.
    async fn show(
        &self,
        steps: &mut Steps,
        host: &RunningHost,
        sources: &Sources,
        receiver: &Receiver,
    ) -> anyhow::Result<()> {
        let client = Client::of(&host.url())?;
        let modules::Components { modules: components, reactor } = modules::build(steps, sources).await?;
        let uploads = modules::upload(steps, &client, &components).await?;
        let week = import::import(steps, &client, sources).await?;
        caught_up::wait(steps, &client, &uploads, week).await?;
        carriers::show(&client, week, "at most 15 minutes late").await?;
        let next = next_version::deploy(steps, &client, sources, week).await?;
        next_version::compare(steps, &client, &next).await?;
        next_version::swap(steps, &client, &next).await?;
        carriers::show(&client, week, "at most 0 minutes late").await?;
        reactor::show(steps, &client, &reactor, receiver, &start::secrets_in(&self.data_dir), week).await?;
        if !self.exit {
            next_steps::show(host);
        }
        steps.end();
        Ok(())
    }
}
