//! Messages and the log in a real NATS JetStream, which is killed, and so are hosts.
//!
//! `cargo test --workspace` leaves this target out, since NATS is not in the repository; `.ci/nats` installs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it did not expect fails"
)]

mod bench;
mod log;
mod messages;
#[path = "../program/mod.rs"]
mod program;
mod reactors;
mod server;

use std::{path::Path, sync::Arc};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::until;

use crate::{program::HostProcess, server::Nats};

async fn host(database: &TestDatabase) -> HostProcess {
    host_with_secrets(database, Path::new("/nowhere")).await
}

/// A host that reads secrets in a folder.
async fn host_with_secrets(database: &TestDatabase, secrets: &Path) -> HostProcess {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let options = [
        format!("--secrets-dir={}", secrets.display()),
        "--first-retry-pause=0.05".to_owned(),
        "--longest-retry-pause=0.2".to_owned(),
    ];
    HostProcess::start(&database.url(), folder, &options).await
}

async fn put_sink(host: &HostProcess, name: &str, settings: Value) {
    let answer = host.send(host.request(Method::PUT, &format!("/v1/sinks/{name}")).json(&settings)).await;
    assert!([200, 201].contains(&answer.status.as_u16()), "{}", answer.body);
}

/// Waits until a sink cannot publish for a reason with this text.
async fn until_failing(host: &HostProcess, name: &str, reason: &str) {
    let path = format!("/v1/sinks/{name}");
    let mut last = Value::Null;
    until(reason, async || {
        last = host.json(&path).await["published"]["error"].clone();
        last.as_str().is_some_and(|error| error.contains(reason))
    })
    .await;
}

/// The settings of a sink that gets the log.
fn log_sink(nats: &Nats) -> Value {
    json!({"kind": "log", "url": nats.url(), "stream": "EVENTS", "subject": "events.{category}.{type}"})
}
