//! `gnomon bench`

mod append;
mod rebuild;

use clap::{Args, Subcommand};

/// Measure a host: command it takes in, and how fast it rebuilds. Both write to it; use one that holds nothing dear.
#[derive(Args, Debug)]
pub(super) struct Bench {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Subcommand, Debug)]
enum BenchCommand {
    Append(append::Append),
    Rebuild(rebuild::Rebuild),
}

impl Bench {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            BenchCommand::Append(append) => append.run().await,
            BenchCommand::Rebuild(rebuild) => rebuild.run().await,
        }
    }
}
