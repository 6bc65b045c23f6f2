//! Starting the host, with a private Postgres.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::{Context, bail};
use tokio::net::TcpListener;

use super::step::Steps;
use crate::{
    cli::{figures, host::RunningHost, output::say},
    config::{DataDirOptions, DatabaseOptions},
    postgres::embedded::{ProgressListener, StartProgress},
    server::ServerSettings,
};

pub(super) async fn start(
    steps: &mut Steps,
    settings: ServerSettings,
    data_dir: &DataDirOptions,
    database: &DatabaseOptions,
) -> anyhow::Result<RunningHost> {
    check_free(settings.listen).await?;
    let step = steps.begin("starting a host");
    // Apart from the data of other hosts.
    let folder = data_dir.folder().join("demo");
    let settings = ServerSettings { cache: Some(folder.join("compiled")), ..settings };
    let host = RunningHost::start_with(database, &folder, settings, say_start()).await?;
    let postgres = match host.postgres() {
        Some(postgres) => format!("a private Postgres {}; all data is in {}", postgres.major(), folder.display()),
        None => "the Postgres of DATABASE_URL, which has all data".to_owned(),
    };
    step.done("started a host", &[format!("{}, with {postgres}", host.url())]);
    Ok(host)
}

/// Checks that the port is free, before a Postgres is set up for nothing.
async fn check_free(listen: SocketAddr) -> anyhow::Result<()> {
    match TcpListener::bind(listen).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
            "{listen} is in use, perhaps by another host; choose another port, such as --listen {}:{}, or 0 for any that is free",
            listen.ip(),
            listen.port().checked_add(1).unwrap_or(7070),
        ),
        other => {
            other.map(drop).with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))
        }
    }
}

/// Shows what takes long.
fn say_start() -> ProgressListener {
    Arc::new(|progress| match progress {
        StartProgress::Downloading { received: 0, total } => {
            say(format_args!("    downloading Postgres ({})", figures::bytes(total)));
        }
        StartProgress::WaitingForPredecessor { pid } => {
            say(format_args!("    waiting for the Postgres of an earlier host to end (process {pid})"));
        }
        _ => {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_in_use_is_named_with_another_one() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = check_free(address).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("{address} is in use")), "{error}");
        assert!(error.contains(&format!("--listen 127.0.0.1:{}", address.port() + 1)), "{error}");
        check_free("127.0.0.1:0".parse().unwrap()).await.unwrap();
    }
}
