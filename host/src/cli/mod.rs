//! The command line.

mod append;
mod bench;
mod build;
mod client;
mod completions;
mod demo;
mod deploy;
mod events;
mod figures;
mod guest_crate;
mod host;
mod import;
mod migrate;
mod modules;
mod new;
mod output;
mod problem;
mod progress;
mod projection;
mod projections;
mod query;
#[cfg(test)]
mod reference;
mod serve;
mod streams;

use std::{io, process::ExitCode};

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

// What each command does stands at its own struct.
#[derive(Subcommand, Debug)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    New(new::New),
    Build(build::Build),
    Deploy(deploy::Deploy),
    Modules(modules::Modules),
    Projections(projections::Projections),
    Query(query::Query),
    Append(append::Append),
    Import(import::Import),
    Events(events::Events),
    Streams(streams::Streams),
    Migrate(migrate::Migrate),
    Bench(bench::Bench),
    Completions(completions::Completions),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match try_run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // As behind `| head`: whoever read has seen enough.
        Err(error)
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            output::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn try_run(cli: Cli) -> anyhow::Result<()> {
    telemetry::start(&cli.log, cli.command.usual_log())?;
    // The one that sqlx uses as well; reqwest leaves the choice to the program. Only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => command.run().await,
            Command::Demo(command) => command.run().await,
            Command::New(command) => command.run(),
            Command::Build(command) => command.run().await,
            Command::Deploy(command) => command.run().await,
            Command::Modules(command) => command.run().await,
            Command::Projections(command) => command.run().await,
            Command::Query(command) => command.run().await,
            Command::Append(command) => command.run().await,
            Command::Import(command) => command.run().await,
            Command::Events(command) => command.run().await,
            Command::Streams(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
            Command::Bench(command) => command.run().await,
            Command::Completions(command) => command.run(),
        }
    })
}

impl Command {
    /// What is logged if nobody says: a host tells what it does, all others speak for themselves. At Ctrl-C the pool warns of
    /// connections that it wanted to keep.
    fn usual_log(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Migrate(_) => "info",
            Self::Demo(_) => "warn,sqlx_core::pool=error",
            _ => "warn",
        }
    }
}
