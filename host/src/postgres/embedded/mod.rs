//! A private Postgres: found on the machine or downloaded, with its files in the data directory; it ends with its host.
//!
//! ```no_run
//! # async fn example() -> Result<(), gnomon::postgres::embedded::EmbeddedError> {
//! use gnomon::postgres::embedded::{EmbeddedConfig, EmbeddedPostgres};
//!
//! let postgres = EmbeddedPostgres::start(EmbeddedConfig::from_env("/var/lib/gnomon")).await?;
//! println!("{}", postgres.url()); // for psql
//! tokio::select! {
//!     exit = postgres.exited() => eprintln!("{exit}"),
//!     _ = tokio::signal::ctrl_c() => postgres.stop().await?,
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What holds:
//! - There is at most one host per data directory, and at most one server per cluster.
//! - The server ends with its host, however the host ends; what an earlier server left does not prevent the next start.
//! - A cluster is complete or does not exist. The same holds for a download.
//! - The URL stays the same, unless another program uses the port.
//! - Root never runs a program of Postgres, and never writes to a folder where the server's user could place a link.
//!
//! It needs Unix: process groups, signals, `/bin/sh`.

mod cluster;
mod config;
mod connection;
mod download;
mod end;
mod error;
mod layout;
mod locate;
mod lock;
mod log;
mod port;
mod postmaster;
mod ready;
pub(super) mod scratch;
mod server;
mod settings;
mod start;
mod supervise;
mod unpack;
mod user;
mod version;

pub use config::{Durability, EmbeddedConfig, ProgressListener, StartProgress};
pub use connection::EmbeddedConnection;
pub use end::End;
pub use error::{DownloadError, EmbeddedError};
pub use server::{EmbeddedPostgres, ServerExit};
pub use version::Major;

#[cfg(test)]
mod tests;
