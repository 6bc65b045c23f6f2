//! The host with programs of others between it and its clients, or between it and Postgres: real ones, with the settings that their
//! packages have.
//!
//! `cargo test --workspace` leaves this target out, since the programs are not in the repository; `.ci/run` installs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it did not expect fails"
)]

mod names;
mod nginx;
mod pgbouncer;
#[path = "../program/mod.rs"]
mod program;
mod sse;
mod sub_path;
mod terminal;
mod top;

/// Starts a host on a database.
async fn host(database: &gnomon::postgres::test_database::TestDatabase) -> program::HostProcess {
    let data = std::sync::Arc::new(tempfile::tempdir().unwrap());
    program::HostProcess::start(&database.url(), data, &[]).await
}
