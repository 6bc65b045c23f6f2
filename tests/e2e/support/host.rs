//! A host as a process, which is killed, stopped and started again.

use std::{
    ops::Deref,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
};

use gnomon::postgres::test_database::TestDatabase;
use tempfile::TempDir;
use test_support::HostClient;

use crate::program::{HostProcess, gnomon};

/// How a host is started.
#[derive(Clone)]
pub(crate) struct Launch {
    /// The URL of its database.
    pub(crate) database: String,
    /// Its data folder, which restarts keep.
    folder: Arc<TempDir>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Another program than the one that is tested.
    pub(crate) program: Option<PathBuf>,
}

impl Launch {
    pub(crate) fn new(database: &str, arguments: &[&str]) -> Self {
        Self {
            database: database.to_owned(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment: Vec::new(),
            program: None,
        }
    }

    pub(crate) async fn start(self) -> Host {
        let Self { database, folder, arguments, environment, program } = &self;
        let folder = Arc::clone(folder);
        let process = if environment.is_empty() && program.is_none() {
            HostProcess::start(database, folder, arguments).await
        } else {
            let mut command = gnomon();
            if let Some(other) = program {
                let mut same = Command::new(other);
                // What the tested program is not to see.
                for (name, value) in command.get_envs() {
                    match value {
                        Some(value) => same.env(name, value),
                        None => same.env_remove(name),
                    };
                }
                command = same;
            }
            command.envs(environment.clone());
            HostProcess::start_by(command, database, folder, arguments).await
        };
        Host { process, launch: self }
    }
}

/// A running host, driven with the methods of [`HostClient`]. It is killed when this is dropped.
pub(crate) struct Host {
    process: HostProcess,
    launch: Launch,
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
        Launch::new(database, arguments).start().await
    }

    /// Starts a further host beside this one, on the same database.
    pub(crate) async fn beside(&self) -> Self {
        self.launch.clone().start().await
    }

    /// How it was started, to start another one that differs.
    pub(crate) fn launch(&self) -> &Launch {
        &self.launch
    }

    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(i32::try_from(self.process.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    /// How the process ended, if it has.
    pub(crate) fn try_wait(&mut self) -> Option<ExitStatus> {
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
            status = self.try_wait();
            status.is_some()
        })
        .await;
        status.is_some_and(|status| status.success())
    }

    /// The folder of what commands remember.
    pub(crate) fn state(&self) -> PathBuf {
        self.launch.folder.path().join("state")
    }

    /// Runs a command of the program against the host.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = gnomon();
        command.args(arguments).env("GNOMON_URL", self.url()).stdin(Stdio::null());
        command.env("XDG_STATE_HOME", self.state());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}
