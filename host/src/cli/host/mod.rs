//! A host in this process, and what it is told on the command line.

pub(super) mod options;
mod running;

pub(super) use self::{
    options::HostOptions,
    running::{RunningHost, log_start, open_database, stop_signal},
};
