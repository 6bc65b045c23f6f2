//! `gnomon delete`

use anyhow::bail;
use clap::Args;
use reqwest::Method;

use super::{ask::ask, client::Client, figures, output::say};
use crate::{
    api::{BuildState, Projection},
    config::ClientOptions,
};

/// Delete a projection with all its builds and their tables.
///
/// Events, modules and the history are kept: `gnomon deploy` builds the projection again from the first event.
#[derive(Args, Debug)]
pub(super) struct Delete {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The name of the projection again, for scripts; without it, the command asks at the terminal
    #[arg(long, value_name = "PROJECTION")]
    yes: Option<String>,

    #[command(flatten)]
    client: ClientOptions,
}

impl Delete {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let name = self.projection.as_str();
        if let Some(repeated) = &self.yes {
            check(name, repeated)?;
        }
        let path = ["v1", "projections", name];
        let projection: Projection = client.json(client.get(&path)).await?;
        if self.yes.is_none() {
            let builds = projection.builds.iter().filter(|build| build.state != BuildState::Retired).count();
            say(format_args!(
                "this deletes {} of `{name}` with {}: {}",
                figures::counted(builds as u64, "build"),
                figures::counted(projection.tables.len() as u64, "table"),
                projection.tables.join(", ")
            ));
            match ask("Type its name to delete it:")? {
                Some(repeated) => check(name, &repeated)?,
                None => bail!(
                    "the command cannot ask, since this is not a terminal; `gnomon delete {name} --yes {name}` deletes the projection"
                ),
            }
        }
        client.send(client.request(Method::DELETE, &path)).await?;
        say(format_args!("`{name}` is deleted; `gnomon deploy` builds it again"));
        Ok(())
    }
}

/// Checks that the name was repeated.
fn check(name: &str, repeated: &str) -> anyhow::Result<()> {
    if repeated != name {
        bail!("the projection is `{name}`, but the repeated name is `{repeated}`; nothing was deleted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_deletes_nothing() {
        assert!(check("bank", "bank").is_ok());
        let error = check("bank", "Bank").unwrap_err().to_string();
        assert_eq!(error, "the projection is `bank`, but the repeated name is `Bank`; nothing was deleted");
    }
}
