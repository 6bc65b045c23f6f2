//! Where things are: the host, its files, its Postgres, its log. There is a struct for each; its fields are options of the
//! command line and variables of the environment, and several commands share it.
//!
//! Nothing of the domain is known here. The limits of a host are options in `cli::host::options`, where the rooms' own
//! defaults can be read.

mod client;
mod data_dir;
mod database;
mod log_output;

pub use self::{
    client::ClientOptions,
    data_dir::{DataDirOptions, default_data_dir},
    database::DatabaseOptions,
    log_output::{LogFormat, LogOptions},
};
