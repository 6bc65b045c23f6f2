//! `gnomon sinks`

mod change;
mod history;
mod list;

use clap::{Args, Subcommand};

use self::{
    change::{Delete, Put, Retry},
    history::History,
    list::List,
};

/// List the sinks, to which messages of reactors go; make or change one, or remove it.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Sinks {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Put(Put),
    Retry(Retry),
    History(History),
    Delete(Delete),
}

impl Sinks {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Put(command)) => command.run().await,
            Some(Command::Retry(command)) => command.run().await,
            Some(Command::History(command)) => command.run().await,
            Some(Command::Delete(command)) => command.run().await,
        }
    }
}
