//! `gnomon bench`

mod all;
mod append;
mod rebuild;

use clap::{Args, Subcommand};

/// Measure how fast a host is. `append` and `rebuild` write to a running host, so do not use them on one with valuable data.
#[derive(Args, Debug)]
pub(super) struct Bench {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Subcommand, Debug)]
enum BenchCommand {
    // Its options are many.
    All(Box<all::All>),
    Append(append::Append),
    Rebuild(rebuild::Rebuild),
}

impl Bench {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            BenchCommand::All(all) => (*all).run().await,
            BenchCommand::Append(append) => append.run().await,
            BenchCommand::Rebuild(rebuild) => rebuild.run().await,
        }
    }
}
