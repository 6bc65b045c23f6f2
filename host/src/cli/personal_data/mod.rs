//! `gnomon personal-data`

mod change;
mod list;

use clap::{Args, Subcommand};

use self::{
    change::{Remove, Set},
    list::List,
};

/// List which fields of events are declared as personal data; declare them, or remove what is declared.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PersonalData {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Set(Set),
    Remove(Remove),
}

impl PersonalData {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Set(command)) => command.run().await,
            Some(Command::Remove(command)) => command.run().await,
        }
    }
}
