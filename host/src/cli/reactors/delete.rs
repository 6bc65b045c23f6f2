//! Deleting a reactor.

use anyhow::bail;
use clap::Args;
use reqwest::Method;

use crate::{
    api::Reactor,
    cli::{ask::ask, client::Client, figures, output::say},
    config::ClientOptions,
};

/// Delete a reactor with its rows, its schedules and its dead letters.
///
/// What it has appended stays, and so does its module. Deployed again, it begins without rows.
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    /// The name of the reactor again, for scripts; without it, the command asks at the terminal
    #[arg(long, value_name = "REACTOR")]
    yes: Option<String>,

    #[command(flatten)]
    client: ClientOptions,
}

impl Delete {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let name = self.reactor.as_str();
        if let Some(repeated) = &self.yes {
            check(name, repeated)?;
        }
        let path = ["v1", "reactors", name];
        let reactor: Reactor = client.json(client.get(&path)).await?;
        if self.yes.is_none() {
            say(format_args!(
                "this deletes reactor `{name}` with {} and {}",
                figures::counted(reactor.tables.len() as u64, "table"),
                figures::counted(reactor.schedules, "schedule"),
            ));
            match ask("Type its name to delete it:")? {
                Some(repeated) => check(name, &repeated)?,
                None => bail!(
                    "the command cannot ask, since this is not a terminal; `gnomon reactors delete {name} --yes {name}` deletes the reactor"
                ),
            }
        }
        client.send(client.request(Method::DELETE, &path)).await?;
        say(format_args!(
            "reactor `{name}` is deleted; `gnomon reactors activate {name}` begins it again, without rows"
        ));
        Ok(())
    }
}

/// Checks that the name was repeated.
fn check(name: &str, repeated: &str) -> anyhow::Result<()> {
    if repeated != name {
        bail!("the reactor is `{name}`, but the repeated name is `{repeated}`; nothing was deleted");
    }
    Ok(())
}
