//! Activating and deactivating an upcaster.

use anyhow::bail;
use clap::Args;
use futures_util::future::join_all;
use reqwest::Method;

use crate::{
    api::{ActivateUpcasterQuery, NewBuild, UpcasterChanged},
    cli::{
        causes::with_causes,
        client::Client,
        follow::{Followed, Goal, follow},
        output::{self, say},
        progress::Progress,
    },
    config::ClientOptions,
};

/// Activate a version of an upcaster, and build the projections again that read events of its types.
#[derive(Args, Debug)]
// It has an option --version of its own.
#[command(disable_version_flag = true)]
pub(super) struct Activate {
    /// The upcaster
    #[arg(add = crate::cli::known_names::upcasters())]
    upcaster: String,

    /// The version [default: the newest]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u32>,

    #[command(flatten)]
    options: ChangeOptions,
}

/// Deactivate an upcaster, and build the projections again that read events of its types.
#[derive(Args, Debug)]
pub(super) struct Deactivate {
    /// The upcaster
    #[arg(add = crate::cli::known_names::upcasters())]
    upcaster: String,

    #[command(flatten)]
    options: ChangeOptions,
}

#[derive(Args, Debug)]
struct ChangeOptions {
    /// Do not wait until the new builds have caught up
    #[arg(long)]
    no_wait: bool,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Activate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        self.options.change(&self.upcaster, "activate", ActivateUpcasterQuery { version: self.wanted }).await
    }
}

impl Deactivate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        self.options.change(&self.upcaster, "deactivate", ActivateUpcasterQuery::default()).await
    }
}

impl ChangeOptions {
    async fn change(&self, name: &str, change: &str, query: ActivateUpcasterQuery) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let request = client.request(Method::POST, &["v1", "upcasters", name, change]).query(&query);
        let body = client.text(request).await?;
        if self.json {
            output::data(&body)?;
        }
        let answer: UpcasterChanged = client.parse(&body)?;
        match answer.active_version {
            Some(version) => say(format_args!("upcaster `{name}` is active in version {version}")),
            None => say(format_args!("upcaster `{name}` is not active any more")),
        }
        say(describe_builds(&answer.builds));
        if self.no_wait {
            return Ok(());
        }
        follow_all(&client, &answer.builds, Goal::ActiveUnlessManual).await?;
        Ok(())
    }
}

/// The projections that are built again, as a sentence.
pub(in crate::cli) fn describe_builds(begun: &[NewBuild]) -> String {
    describe("built again", begun)
}

/// Builds after a label, as a sentence.
pub(in crate::cli) fn describe(label: &str, begun: &[NewBuild]) -> String {
    if begun.is_empty() {
        return "no projection has to be built again".to_owned();
    }
    let builds = begun.iter().map(|NewBuild { projection, build, replaces }| match replaces {
        Some(replaced) => format!("`{projection}` (build {build}, in place of {replaced})"),
        None => format!("`{projection}` (build {build})"),
    });
    format!("{label}: {}", builds.collect::<Vec<_>>().join(", "))
}

/// Follows builds until they have reached the goal, also if one of them stops.
///
/// # Errors
/// Names every build that stopped.
pub(in crate::cli) async fn follow_all(
    client: &Client,
    begun: &[NewBuild],
    goal: Goal,
) -> anyhow::Result<Vec<Followed>> {
    let follow_one = async |NewBuild { projection, build, .. }: &NewBuild, progress: Progress| {
        let followed = follow(client, projection, *build, goal, &progress).await?;
        progress.say(followed.describe());
        anyhow::Ok(followed)
    };
    let following =
        begun.iter().zip(Progress::start_several(begun.len())).map(|(build, progress)| follow_one(build, progress));
    let (mut reached, mut stopped) = (Vec::new(), Vec::new());
    for followed in join_all(following).await {
        match followed {
            Ok(followed) => reached.push(followed),
            Err(error) => stopped.push(with_causes(&error)),
        }
    }
    if !stopped.is_empty() {
        bail!(stopped.join("\nerror: "));
    }
    Ok(reached)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ReplacedBuild;

    #[test]
    fn builds_that_were_begun_are_named() {
        let begun = |projection: &str, build| NewBuild { projection: projection.to_owned(), build, replaces: None };
        assert_eq!(describe_builds(&[]), "no projection has to be built again");
        assert_eq!(describe_builds(&[begun("a", 4), begun("b", 5)]), "built again: `a` (build 4), `b` (build 5)");
        let replaces = Some(ReplacedBuild { build: 4, version: 2 });
        let deployed = NewBuild { replaces, ..begun("a", 5) };
        assert_eq!(describe("builds", &[deployed]), "builds: `a` (build 5, in place of build 4 (version 2))");
    }
}
