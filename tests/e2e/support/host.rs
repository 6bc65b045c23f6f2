//! A host as a process, which is killed, stopped and started again.

use std::{ops::Deref, process::Stdio, sync::Arc};

use gnomon::postgres::test_database::TestDatabase;
use tempfile::TempDir;
use test_support::HostClient;

use crate::program::{HostProcess, gnomon};

/// A running host, driven with the methods of [`HostClient`]. It is killed when this is dropped.
pub(crate) struct Host {
    process: HostProcess,
    /// Its data folder, which restarts keep.
    folder: Arc<TempDir>,
    database: String,
    arguments: Vec<String>,
}

impl Deref for Host {
    type Target = HostClient;

    fn deref(&self) -> &HostClient {
        &self.process
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
        let process = HostProcess::start(&database, Arc::clone(&folder), &arguments).await;
        Self { process, folder, database, arguments }
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.process.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// How the process ended, if it has.
    pub(crate) fn try_wait(&mut self) -> Option<std::process::ExitStatus> {
        self.process.child.try_wait().unwrap()
    }

    /// Kills the host.
    pub(crate) fn kill(&mut self) {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
    }

    /// Starts it again after [`Host::kill`], with the same data folder.
    pub(crate) async fn restart(&mut self) {
        *self = self.beside().await;
    }

    /// Stops it with SIGTERM, as operators do; returns whether it exited with 0.
    pub(crate) async fn stop(mut self) -> bool {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let mut status = None;
        test_support::until("the host ends after SIGTERM", async || {
            status = self.process.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.is_some_and(|status| status.success())
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
