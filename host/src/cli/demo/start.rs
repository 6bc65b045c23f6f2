//! Starting the host, with a private Postgres.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use tokio::net::TcpListener;

use super::step::Steps;
use crate::{
    cli::{figures, host::RunningHost, output::say},
    config::{DataDirOptions, DatabaseOptions},
    outbox::OutboxSettings,
    postgres::embedded::{ProgressListener, StartProgress},
    server::ServerSettings,
};

pub(super) async fn start(
    steps: &mut Steps,
    settings: ServerSettings,
    data_dir: &DataDirOptions,
    database: &DatabaseOptions,
) -> anyhow::Result<RunningHost> {
    let step = steps.begin("starting a host");
    let folder = folder_in(data_dir);
    let outbox = OutboxSettings { secrets_dir: Some(secrets_in(data_dir)), ..settings.outbox };
    let settings = ServerSettings { cache: Some(folder.join("compiled")), outbox, ..settings };
    let host = RunningHost::start_with(database, &folder, settings, say_start()).await?;
    let postgres = match host.postgres() {
        Some(postgres) => format!("a private Postgres {}; all data is in {}", postgres.major(), folder.display()),
        None => "the Postgres of DATABASE_URL, which has all data".to_owned(),
    };
    step.done("started a host", &[format!("{}, with {postgres}", host.url())]);
    Ok(host)
}

/// The folder of the demo, apart from the data of other hosts.
fn folder_in(data_dir: &DataDirOptions) -> PathBuf {
    data_dir.folder().join("demo")
}

/// The folder of secrets in it.
pub(super) fn secrets_in(data_dir: &DataDirOptions) -> PathBuf {
    folder_in(data_dir).join("secrets")
}

/// The address of hosts, or a free port if another host has that one: the demo can run beside it.
pub(super) async fn free_address() -> SocketAddr {
    free_or_other(ServerSettings::default().listen).await
}

async fn free_or_other(address: SocketAddr) -> SocketAddr {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => SocketAddr::new(address.ip(), 0),
        // Another error is one of the host that starts there.
        _ => address,
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
    async fn beside_another_host_the_demo_takes_another_port() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(free_or_other(address).await.to_string(), "127.0.0.1:0");
        drop(taken);
        assert_eq!(free_or_other(address).await, address);
    }
}
