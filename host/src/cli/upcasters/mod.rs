//! `gnomon upcasters`

mod change;
mod list;

use clap::{Args, Subcommand};

pub(super) use self::change::{describe, describe_builds, follow_all};
use self::{
    change::{Activate, Deactivate},
    list::List,
};

/// List the upcasters that are active, activate one, or deactivate it.
///
/// Each build uses the upcasters that were active when it was begun. So when an upcaster is activated or deactivated, the projections
/// that read events of its types are built again, and each new build becomes active when it has caught up.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Upcasters {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Activate(Activate),
    Deactivate(Deactivate),
}

impl Upcasters {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Activate(command)) => command.run().await,
            Some(Command::Deactivate(command)) => command.run().await,
        }
    }
}
