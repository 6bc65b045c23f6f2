//! Hosts in processes of their own.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(super) struct Host {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Host {
    /// A host that starts a server on a data directory and keeps it.
    pub(super) fn serving(data_dir: &Path) -> Self {
        Self::run(&["serve".as_ref(), data_dir.as_os_str()], data_dir, None)
    }

    /// A host whose test has a database, which makes its folder in `temporary`.
    pub(super) fn testing(temporary: &Path) -> Self {
        Self::run(&["test".as_ref()], temporary, None)
    }

    /// The same on a server that others use too.
    pub(super) fn testing_on(temporary: &Path, database_url: &str) -> Self {
        Self::run(&["test".as_ref()], temporary, Some(database_url))
    }

    fn run(arguments: &[&OsStr], temporary: &Path, database_url: Option<&str>) -> Self {
        let mut process = Command::new(program())
            .args(arguments)
            // A test database makes its folder there.
            .env("TMPDIR", temporary)
            // Empty is unset.
            .env("DATABASE_URL", database_url.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Waits until the host is ready, and returns the pid of a process of its server.
    pub(super) fn ready(&mut self) -> i32 {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the host has ended before it was ready");
        line.trim().strip_prefix("READY ").unwrap().parse().unwrap()
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends the host with SIGKILL.
    pub(super) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Closes the host's input, at whose end it ends.
    pub(super) fn finish(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

/// The example `private_postgres`, which cargo builds with the tests: beside the folder that this test runs in.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/private_postgres");
    assert!(program.exists(), "{} is missing: `cargo test` builds it unless --lib is given", program.display());
    program
}
