//! `gnomon bench`

mod append;
mod rebuild;

use clap::{Args, Subcommand};

/// Measure a host: what it takes in, and how fast it rebuilds. Both write to it; use one that holds nothing dear.
#[derive(Args, Debug)]
pub(super) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Append(append::Append),
    Rebuild(rebuild::Rebuild),
}

impl Bench {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Append(append) => append.run().await,
            What::Rebuild(rebuild) => rebuild.run().await,
        }
    }
}
