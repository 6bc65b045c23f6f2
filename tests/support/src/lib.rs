//! What tests of the host share: modules, built by name, and a client of a running host.
//!
//! This crate knows nothing of the host: a host in the test's process is started by `tests/host`, a file that test targets take in by
//! `#[path]`. If it stood here, every run of the host's unit tests would first have to build the host once more.

mod certificates;
mod client;
mod modules;
// What the program does before it builds a module, tests do as well.
#[path = "../../../host/src/cli/rust_target.rs"]
mod rust_target;
mod signing_key;
mod wait;

pub use self::{
    certificates::{Authority, Issued},
    client::{Answer, HostClient, HostLog, client},
    modules::{component, guest, of_another_world, upcaster},
    signing_key::{SigningKey, unsigned_jwt},
    wait::until,
};
