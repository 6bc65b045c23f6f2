//! Putting an upcaster to work, and taking it out of work.

use anyhow::bail;
use clap::Args;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{
    cli::{
        client::Client,
        follow::{Goal, follow},
        output::{self, say},
        progress::Progress,
    },
    config::ClientOptions,
};

/// Put a version of an upcaster to work, and build the projections anew that read what it rewrites.
#[derive(Args, Debug)]
// Its own --version is another.
#[command(disable_version_flag = true)]
pub(super) struct Activate {
    /// The upcaster
    upcaster: String,

    /// The version [default: the newest]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u64>,

    #[command(flatten)]
    how: How,
}

/// Take an upcaster out of work, and build the projections anew that read what it rewrote.
#[derive(Args, Debug)]
pub(super) struct Deactivate {
    /// The upcaster
    upcaster: String,

    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug)]
struct How {
    /// Do not wait until the new builds have caught up
    #[arg(long)]
    no_wait: bool,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// What the host answers.
#[derive(Deserialize)]
struct Answer {
    active_version: Option<u64>,
    builds: Vec<Begun>,
}

/// A build that was begun because of an upcaster.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::cli) struct Begun {
    pub(in crate::cli) projection: String,
    pub(in crate::cli) build: u64,
}

impl Activate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let version = self.wanted.map(|version| version.to_string());
        self.how.change(&self.upcaster, "activate", &[("version", version)]).await
    }
}

impl Deactivate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        self.how.change(&self.upcaster, "deactivate", &[]).await
    }
}

impl How {
    async fn change(&self, name: &str, change: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let request = client.request(Method::POST, &["v1", "upcasters", name, change]).query(query);
        let body = client.text(request).await?;
        if self.json {
            output::data(&body)?;
        }
        let answer: Answer = client.parse(&body)?;
        match answer.active_version {
            Some(version) => say(format_args!("upcaster `{name}` is active, version {version}")),
            None => say(format_args!("upcaster `{name}` is not active any more")),
        }
        say(words(&answer.builds));
        if self.no_wait {
            return Ok(());
        }
        follow_all(&client, &answer.builds).await
    }
}

/// Which projections are built anew, in words.
pub(in crate::cli) fn words(begun: &[Begun]) -> String {
    if begun.is_empty() {
        return "no projection has to be built anew".to_owned();
    }
    let builds = begun.iter().map(|Begun { projection, build }| format!("`{projection}` (build {build})"));
    format!("built anew: {}", builds.collect::<Vec<_>>().join(", "))
}

/// Follows builds until queries read them. One that stops keeps no other from
/// going on.
pub(in crate::cli) async fn follow_all(client: &Client, begun: &[Begun]) -> anyhow::Result<()> {
    let progress = Progress::start();
    let mut stopped = Vec::new();
    for Begun { projection, build } in begun {
        match follow(client, projection, *build, Goal::Active, &progress).await {
            Ok(followed) => progress.say(followed.words()),
            Err(error) => stopped.push(format!("{error:#}")),
        }
    }
    if !stopped.is_empty() {
        bail!(stopped.join("\nerror: "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_that_were_begun_are_named() {
        let begun = |projection: &str, build| Begun { projection: projection.to_owned(), build };
        assert_eq!(words(&[]), "no projection has to be built anew");
        assert_eq!(words(&[begun("a", 4), begun("b", 5)]), "built anew: `a` (build 4), `b` (build 5)");
    }
}
