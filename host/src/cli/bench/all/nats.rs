//! A NATS server with JetStream: one that is there, or one that is started for the benchmark.

use std::{fs, os::unix::process::CommandExt, path::Path, process::Stdio, time::Duration};

use anyhow::Context as _;
use async_nats::jetstream::{
    self, Context,
    context::GetStreamErrorKind,
    stream::{Config, Stream},
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// The program that is started where no URL is given.
const PROGRAM: &str = "nats-server";
/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How often it is looked whether it has.
const EVERY: Duration = Duration::from_millis(10);

/// A server, and a connection to it.
pub(super) struct Nats {
    /// The address, for hosts.
    pub(super) url: String,
    pub(super) context: Context,
    /// Ends when this is dropped.
    _server: Option<Server>,
}

struct Server {
    _child: Child,
    /// Has its streams.
    _folder: TempDir,
}

/// What the server writes about its ports.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

impl Nats {
    /// Uses the server of an address, or starts one.
    ///
    /// # Errors
    /// Why nothing can be published, to be shown.
    pub(super) async fn find(url: Option<&str>) -> Result<Self, String> {
        let (url, server) = match url {
            Some(url) => (url.to_owned(), None),
            None => {
                let (url, server) = start().await?;
                (url, Some(server))
            }
        };
        let refuse = |error: String| format!("the NATS server at {url} cannot be used: {error}");
        let client = async_nats::connect(&url).await.map_err(|error| refuse(error.to_string()))?;
        let context = jetstream::new(client);
        match context.get_stream("gnomon_bench_none").await {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(_)) => {}
            Err(error) => return Err(refuse(format!("it does not answer as JetStream: {error}"))),
        }
        Ok(Self { url, context, _server: server })
    }

    /// Makes a stream that keeps messages in files, which takes the subjects that begin with its name; one that is there already is deleted.
    pub(super) async fn make(&self, name: &str) -> anyhow::Result<Stream> {
        self.remove(name).await?;
        let config = Config { name: name.to_owned(), subjects: vec![format!("{name}.>")], ..Config::default() };
        self.context.create_stream(config).await.with_context(|| format!("cannot make the stream {name} of JetStream"))
    }

    /// Deletes a stream, if it is there.
    pub(super) async fn remove(&self, name: &str) -> anyhow::Result<()> {
        match self.context.delete_stream(name).await {
            Err(error) if !matches!(error.kind(), GetStreamErrorKind::JetStream(ref error) if error.code() == 404) => {
                Err(error).with_context(|| format!("cannot delete the stream {name} of JetStream"))
            }
            _ => Ok(()),
        }
    }
}

/// Starts a server on loopback, with a folder of its own.
async fn start() -> Result<(String, Server), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("there is no folder for {PROGRAM}: {error}"))?;
    let mut command = std::process::Command::new(PROGRAM);
    command.args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir"]).arg(folder.path());
    command.arg("--ports_file_dir").arg(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C is for this program, which ends the server itself.
    command.process_group(0);
    let mut command = Command::from(command);
    let spawned = command.kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|error| {
        format!("{PROGRAM} cannot be started: {error}; install it, or name a server with JetStream with --nats-url")
    })?;
    let ports = folder.path().join(format!("{PROGRAM}_{}.ports", child.id().unwrap_or_default()));
    let deadline = Instant::now() + START_TIMEOUT;
    let url = loop {
        if let Some(url) = url(&ports) {
            break url;
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{PROGRAM} has ended ({status})"));
        }
        if Instant::now() > deadline {
            return Err(format!("{PROGRAM} has not said within {} s where it listens", START_TIMEOUT.as_secs()));
        }
        sleep(EVERY).await;
    };
    Ok((url, Server { _child: child, _folder: folder }))
}

/// Where the server says that it listens; `None` as long as it has not said all of it.
fn url(ports: &Path) -> Option<String> {
    let ports: Ports = serde_json::from_slice(&fs::read(ports).ok()?).ok()?;
    ports.nats.into_iter().next()
}
