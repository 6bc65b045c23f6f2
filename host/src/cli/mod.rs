//! The command line.

mod host;
mod migrate;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{config::LogOptions, telemetry};

/// Stores events, folds them into read models with WebAssembly components, and serves those over HTTP.
#[derive(Parser, Debug)]
#[command(name = "gnomon", version, max_term_width = 120, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    log: LogOptions,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a host
    Serve(serve::Serve),
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match try_run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the error is for the one at the terminal")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn try_run(cli: Cli) -> anyhow::Result<()> {
    telemetry::start(&cli.log)?;
    // The one that sqlx uses as well; reqwest leaves the choice to the program. Only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
        }
    })
}
