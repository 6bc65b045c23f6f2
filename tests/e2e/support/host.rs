//! A host as a process.

use std::{
    io::{BufRead, BufReader},
    ops::Deref,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;
use test_support::{HostClient, HostLog};

/// The program, ready to be given arguments.
pub(crate) fn gnomon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gnomon"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GNOMON_") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    // Not in the home of whoever runs the tests.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
    command
}

/// A running host, driven with the methods of [`HostClient`]. It is killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    client: HostClient,
    /// Its data folder, which restarts keep, with the compiled modules in it.
    folder: Arc<TempDir>,
    database: String,
    arguments: Vec<String>,
}

impl Deref for Host {
    type Target = HostClient;

    fn deref(&self) -> &HostClient {
        &self.client
    }
}

impl Host {
    /// Starts a host on a database.
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[]).await
    }

    /// Starts a host with further arguments.
    pub(crate) async fn start_with(database: &TestDatabase, arguments: &[&str]) -> Self {
        Self::start_on(&database.url(), arguments).await
    }

    /// Starts a host on the database of a URL, with further arguments.
    pub(crate) async fn start_on(database: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self::launch(database.to_owned(), folder, arguments).await
    }

    /// Starts a further host beside this one, on the same database.
    pub(crate) async fn beside(&self) -> Self {
        Self::launch(self.database.clone(), Arc::clone(&self.folder), self.arguments.clone()).await
    }

    async fn launch(database: String, folder: Arc<TempDir>, arguments: Vec<String>) -> Self {
        let mut child = gnomon()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
            .arg(folder.path())
            .args(&arguments)
            .env("DATABASE_URL", &database)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = HostLog::default();
        let (tell, address) = mpsc::channel();
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "listening" {
                    let _ = tell.send(entry["address"].as_str().unwrap_or_default().to_owned());
                }
                kept.push(line);
            }
        });
        let address = tokio::task::spawn_blocking(move || address.recv()).await.unwrap();
        let Ok(address) = address else { panic!("the host did not start: {log:#?}") };
        let client = HostClient::new(format!("http://{address}"), log);
        Self { child, client, folder, database, arguments }
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// Kills the host.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again after [`Host::kill`], with the same data folder.
    pub(crate) async fn restart(&mut self) {
        *self = self.beside().await;
    }

    /// Stops it with SIGTERM, as operators do; returns whether it exited with 0.
    pub(crate) async fn stop(mut self) -> bool {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        status.success()
    }

    /// The folder of what commands remember.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    /// Runs a command of the program against the host.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = gnomon();
        command.args(arguments).env("GNOMON_URL", self.url()).stdin(Stdio::null());
        command.env("XDG_STATE_HOME", self.state());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
