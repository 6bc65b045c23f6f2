//! `gnomon reactors`

mod activate;
mod change;
mod dead_letters;
mod delete;
mod history;
mod list;
mod retry;

use clap::{Args, Subcommand};

use self::{
    activate::Activate,
    change::{OnFailure, Pause, Resume},
    dead_letters::DeadLetters,
    delete::Delete,
    history::History,
    list::List,
    retry::Retry,
};

pub(super) use self::activate::describe;

/// List the reactors, or do something with one.
///
/// A reactor answers events with effects: it appends events, sends messages, and makes schedules. `gnomon deploy` uploads one, and begins it with the
/// next event that comes; another version goes on where the one before stopped.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Reactors {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Activate(Activate),
    Pause(Pause),
    Resume(Resume),
    Retry(Retry),
    OnFailure(OnFailure),
    DeadLetters(DeadLetters),
    History(History),
    Delete(Delete),
}

impl Reactors {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Activate(command)) => command.run().await,
            Some(Command::Pause(command)) => command.run().await,
            Some(Command::Resume(command)) => command.run().await,
            Some(Command::Retry(command)) => command.run().await,
            Some(Command::OnFailure(command)) => command.run().await,
            Some(Command::DeadLetters(command)) => command.run().await,
            Some(Command::History(command)) => command.run().await,
            Some(Command::Delete(command)) => command.run().await,
        }
    }
}
