//! Options that several commands share: the host, its files, its Postgres, its log. Each struct's fields are options of the
//! command line and variables of the environment.
//!
//! The limits of a host are options in `cli::host::options`, which may use the rooms' own defaults; this room may not.

mod client;
mod data_dir;
mod database;
mod log_output;
mod state_dir;

pub use self::{
    client::ClientOptions,
    data_dir::{DataDirOptions, default_data_dir},
    database::DatabaseOptions,
    log_output::{LogFormat, LogOptions},
    state_dir::state_dir,
};
