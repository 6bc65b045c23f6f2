//! The real program: a command of it, and a host as a process. Test targets take this file in by `#[path]`.

use std::{
    io::{BufRead, BufReader},
    ops::Deref,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
};

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
    command.env("XDG_CONFIG_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/config"));
    command
}

/// A running host, driven with the methods of [`HostClient`]. It is killed when this is dropped.
pub(crate) struct HostProcess {
    pub(crate) child: Child,
    client: HostClient,
    /// Its data folder, with the compiled modules in it, is kept as long as it runs.
    _folder: Arc<TempDir>,
}

impl Deref for HostProcess {
    type Target = HostClient;

    fn deref(&self) -> &HostClient {
        &self.client
    }
}

impl HostProcess {
    /// Starts a host on the database of a URL, with further arguments, and waits until it listens.
    pub(crate) async fn start(database: &str, folder: Arc<TempDir>, arguments: &[String]) -> Self {
        Self::start_by(gnomon(), database, folder, arguments).await
    }

    /// The same, with a command that becomes the program. Without a URL, other arguments say which databases it has.
    pub(crate) async fn start_by(
        mut command: Command,
        database: &str,
        folder: Arc<TempDir>,
        arguments: &[String],
    ) -> Self {
        match database {
            "" => command.env_remove("DATABASE_URL"),
            url => command.env("DATABASE_URL", url),
        };
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"])
            .arg(folder.path())
            .args(arguments)
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
        // A cold machine compiles modules first.
        let longest = std::time::Duration::from_secs(240);
        let address = tokio::task::spawn_blocking(move || address.recv_timeout(longest)).await.unwrap();
        let Ok(address) = address else { panic!("the host did not start: {log:#?}") };
        let client = HostClient::new(format!("http://{address}"), log);
        Self { child, client, _folder: folder }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
