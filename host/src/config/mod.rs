//! Options that several commands share: the host, its files, its Postgres, its log. Each struct's fields are options of the
//! command line and variables of the environment.
//!
//! The limits of a host are options in `cli::host::options`, which may use the rooms' own defaults; this room may not.

mod client;
mod client_token;
mod client_token_error;
mod data_dir;
mod database;
mod log_output;
mod logins;
mod state_dir;
mod tenant;

pub use self::{
    client::{ClientOptions, TrustOptions},
    client_token::ClientToken,
    client_token_error::ClientTokenError,
    data_dir::{DataDirOptions, default_data_dir},
    database::DatabaseOptions,
    log_output::{LogFormat, LogOptions},
    logins::{Logins, LoginsError},
    state_dir::state_dir,
    tenant::TenantOption,
};
