//! Several tenants on one host: the real program, with a database for each.

mod away;
mod commands;
mod flood;
mod isolation;

use std::{fs, ops::Deref, process::Command, sync::Arc};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{HostClient, until};

use crate::program::{HostProcess, gnomon};

/// A host of several tenants, which is killed and started again.
struct Tenanted {
    process: HostProcess,
    folder: Arc<TempDir>,
    arguments: Vec<String>,
}

impl Deref for Tenanted {
    type Target = HostClient;

    fn deref(&self) -> &HostClient {
        &self.process
    }
}

impl Tenanted {
    /// Starts a host with the tenants of a file of this content.
    async fn start(tenants: &Value, arguments: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let file = folder.path().join("tenants.json");
        fs::write(&file, json!({"tenants": tenants}).to_string()).unwrap();
        let mut all = vec!["--tenants".to_owned(), file.display().to_string()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self { process: Self::run(&folder, &all).await, folder, arguments: all }
    }

    async fn run(folder: &Arc<TempDir>, arguments: &[String]) -> HostProcess {
        HostProcess::start_by(gnomon(), "", Arc::clone(folder), arguments).await
    }

    /// Kills it, and starts it again.
    async fn restart(&mut self) {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
        self.process = Self::run(&self.folder, &self.arguments).await;
    }

    /// Asks it to stop, and waits until it has stopped in order.
    async fn stop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.process.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        let mut status = None;
        until("all tenants have stopped", async || {
            status = self.process.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }

    /// A client of one tenant, with its token.
    fn tenant(&self, name: &str, token: &str) -> HostClient {
        self.below(&format!("/t/{name}"), token)
    }
}

/// Runs a command, which must succeed; returns what it prints on stdout.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(arguments, variables).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{arguments:?}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command, which must fail; returns what it prints on stderr.
fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = command(arguments, variables).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = gnomon();
    command.args(arguments).envs(variables.iter().copied()).stdin(std::process::Stdio::null());
    command
}

/// A token for everything, made in a database.
fn root_of(database: &str) -> String {
    run(&["migrate"], &[("DATABASE_URL", database)]);
    run(&["tokens", "create", "root", "--scope", "admin"], &[("DATABASE_URL", database)])
}
