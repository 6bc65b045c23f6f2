//! `gnomon outbox`

mod list;
mod one;

use clap::{Args, Subcommand};

use self::{
    list::List,
    one::{Drop, Retry, Show},
};

/// List the messages that reactors send; show one, send it again, or drop it.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Outbox {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Show(Show),
    Retry(Retry),
    Drop(Drop),
}

impl Outbox {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Show(command)) => command.run().await,
            Some(Command::Retry(command)) => command.run().await,
            Some(Command::Drop(command)) => command.run().await,
        }
    }
}
