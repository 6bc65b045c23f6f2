//! `gnomon tokens`

mod create;
mod lifetime;
mod list;
mod place;
mod revoke;

use clap::{Args, Subcommand};

use self::{create::Create, list::List, revoke::Revoke};

/// List the tokens of a database, which say who may do what; make one, or revoke one.
///
/// A host does this for who has the scope `admin`. With --database-url or --data-dir it is done in the database itself, without a host: so the first
/// token is made.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Tokens {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: List,
}

#[derive(Subcommand, Debug)]
enum Command {
    Create(Create),
    Revoke(Revoke),
}

impl Tokens {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            None => self.list.run().await,
            Some(Command::Create(command)) => command.run().await,
            Some(Command::Revoke(command)) => command.run().await,
        }
    }
}
