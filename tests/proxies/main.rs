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

#[allow(dead_code, unreachable_pub, reason = "the end-to-end tests use more of it")]
#[path = "../e2e/support/host.rs"]
mod host;
mod nginx;
mod pgbouncer;
mod sse;
mod sub_path;
mod terminal;
