//! A host in this process, and its options.

pub(super) mod options;
mod running;

pub(super) use self::{
    options::HostOptions,
    running::{RunningHost, log_start, open_database, stop_signal},
};
