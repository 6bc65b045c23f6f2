//! A host in this process, and its options.

mod folder;
pub(super) mod options;
mod running;
mod stop_signals;
mod tenants;
mod this_program;

#[cfg(test)]
pub(super) use self::tenants::MAX_TENANTS_FILE_BYTES;
pub(super) use self::{
    folder::prepare_folder,
    options::HostOptions,
    running::{RunningHost, log_start, open_database},
    stop_signals::StopSignals,
    this_program::this_program,
};
