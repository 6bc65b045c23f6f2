//! Settings, a struct for each concern. Each field is an option of the command line and a variable of the environment.
//!
//! Nothing of the domain is known here: these are numbers, texts and paths.

mod client;
mod data_dir;
mod database;
mod http;
mod limits;
mod log_output;
mod projector;

pub use self::{
    client::ClientOptions,
    data_dir::{DataDirOptions, default_data_dir},
    database::DatabaseOptions,
    http::HttpOptions,
    limits::LimitOptions,
    log_output::{LogFormat, LogOptions},
    projector::ProjectorOptions,
};
