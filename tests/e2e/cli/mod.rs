//! The commands against a real host: what they print, where, and their exit codes.

mod bench;
mod completions;
mod crates;
mod deploy_at_once;
mod doctor;
mod events;
mod explain;
mod export;
mod import;
mod modules;
mod operate;
mod outbox;
mod own_writes;
mod psql;
mod query;
mod reactors;
mod refusals;
mod replay;
mod rust_target;
mod start;
mod stats;
mod tls;
mod without_host;

use std::process::Output;

use crate::support::Host;

/// The output of a command, and its exit code.
struct Said {
    /// Its stdout: data.
    out: String,
    /// Its stderr: messages.
    err: String,
    code: Option<i32>,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

/// Runs a command that succeeds.
async fn run(host: &Host, arguments: &[&str]) -> Said {
    let said = Said::from(host.try_run(arguments).await);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said
}

/// Runs a command that fails; returns its messages, with `<host>` for the URL of the host.
async fn refused(host: &Host, arguments: &[&str]) -> String {
    let said = Said::from(host.try_run(arguments).await);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}: {}", said.err);
    said.err.replace(host.url(), "<host>")
}
