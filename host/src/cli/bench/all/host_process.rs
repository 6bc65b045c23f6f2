//! The host that is measured: a process of its own, so that its processor time is known, and clients do not run on its threads.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    os::unix::process::CommandExt,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::oneshot,
};

use super::connection::Connection;
use crate::cli::host::this_program;

/// How long a host may take to start, and to stop.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How often it is asked whether it is ready.
const EVERY: Duration = Duration::from_millis(1);
/// Lines of its log that are kept, to be shown if it ends.
const KEPT_LINES: usize = 10;

/// A running host. It is killed if this is dropped.
pub(super) struct HostProcess {
    child: Child,
    id: u32,
    address: SocketAddr,
    log: HostLog,
    /// Its data folder.
    folder: Arc<TempDir>,
    /// Variables of its environment.
    variables: Vec<(&'static str, String)>,
    /// How long it took until it was ready.
    started_in: Duration,
}

/// The end of a host's log.
#[derive(Clone, Default)]
struct HostLog(Arc<Mutex<VecDeque<String>>>);

/// The line that says where a host listens.
#[derive(Deserialize)]
struct Line {
    message: String,
    address: Option<SocketAddr>,
}

impl HostProcess {
    /// Starts a host on a database. Variables of the environment that set options of a host hold for it, too.
    pub(super) async fn start(
        database: &PgConnectOptions,
        variables: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Self> {
        Self::start_in(Arc::new(tempfile::tempdir()?), database, variables).await
    }

    /// Stops it, and starts it again with its data folder, at another address.
    pub(super) async fn restart(&mut self, database: &PgConnectOptions) -> anyhow::Result<()> {
        self.end().await?;
        *self = Self::start_in(Arc::clone(&self.folder), database, self.variables.clone()).await?;
        Ok(())
    }

    async fn start_in(
        folder: Arc<TempDir>,
        database: &PgConnectOptions,
        variables: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut command = std::process::Command::new(this_program());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--log-format", "json", "--data-dir"])
            .arg(folder.path())
            // Not an argument, which others could read: it has the password.
            .env("DATABASE_URL", database.to_url_lossy().as_str())
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for this program, which ends the host itself.
            .process_group(0);
        let mut command = Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().context("cannot start the host of the benchmark")?;
        let (id, log) = (child.id(), HostLog::default());
        let (Some(id), Some(stderr)) = (id, child.stderr.take()) else {
            bail!("the host of the benchmark has ended already")
        };
        let (tell, listens) = oneshot::channel();
        tokio::spawn(log.clone().keep(stderr, tell));
        let ready = async {
            let address = listens.await.ok()?;
            until_ready(address).await;
            Some(address)
        };
        let Ok(Some(address)) = tokio::time::timeout(START_TIMEOUT, ready).await else {
            bail!("the host of the benchmark did not start:\n{}", log.text());
        };
        Ok(Self { child, id, address, log, folder, variables, started_in: began.elapsed() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of the process.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// How long it took until it was ready.
    pub(super) fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Adds the end of the log to an error, if the host has ended.
    pub(super) fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                error.context(format!("the host of the benchmark ended ({status}):\n{}", self.log.text()))
            }
            _ => error,
        }
    }

    /// Stops the host.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.end().await
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(self.id)?), Signal::SIGTERM)?;
        if tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// Waits until `/health/ready` is a success.
async fn until_ready(address: SocketAddr) {
    loop {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.get("/health/ready").await.is_ok()
        {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl HostLog {
    /// Reads the log to its end, and tells where the host listens.
    async fn keep(self, stderr: ChildStderr, tell: oneshot::Sender<SocketAddr>) {
        let mut lines = BufReader::new(stderr).lines();
        let mut tell = Some(tell);
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(Line { message, address: Some(address) }) = serde_json::from_str(&line)
                && message == "listening"
                && let Some(tell) = tell.take()
            {
                // Whoever started it may have given up.
                let _ = tell.send(address);
            }
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
