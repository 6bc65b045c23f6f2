//! `gnomon bench`

mod append;
mod rebuild;

use clap::{Args, Subcommand};

/// Measure how fast a host appends or rebuilds. This writes to the host, so do not use it on a host with valuable data.
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
