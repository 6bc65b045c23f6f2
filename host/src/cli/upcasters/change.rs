//! Putting an upcaster to work, and taking it out of work.

use anyhow::bail;
use clap::Args;
use reqwest::Method;

use crate::{
    api::{NewBuild, UpcasterChanged, UpcasterQuery},
    cli::{
        causes::with_causes,
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
    wanted: Option<u32>,

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

impl Activate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        self.how.change(&self.upcaster, "activate", UpcasterQuery { version: self.wanted }).await
    }
}

impl Deactivate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        self.how.change(&self.upcaster, "deactivate", UpcasterQuery::default()).await
    }
}

impl How {
    async fn change(&self, name: &str, change: &str, query: UpcasterQuery) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let request = client.request(Method::POST, &["v1", "upcasters", name, change]).query(&query);
        let body = client.text(request).await?;
        if self.json {
            output::data(&body)?;
        }
        let answer: UpcasterChanged = client.parse(&body)?;
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
pub(in crate::cli) fn words(begun: &[NewBuild]) -> String {
    if begun.is_empty() {
        return "no projection has to be built anew".to_owned();
    }
    let builds = begun.iter().map(|NewBuild { projection, build }| format!("`{projection}` (build {build})"));
    format!("built anew: {}", builds.collect::<Vec<_>>().join(", "))
}

/// Follows builds until queries read them. One that stops keeps no other from
/// going on.
pub(in crate::cli) async fn follow_all(client: &Client, begun: &[NewBuild]) -> anyhow::Result<()> {
    let progress = Progress::start();
    let mut stopped = Vec::new();
    for NewBuild { projection, build } in begun {
        match follow(client, projection, *build, Goal::Active, &progress).await {
            Ok(followed) => progress.say(followed.words()),
            Err(error) => stopped.push(with_causes(&error)),
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
        let begun = |projection: &str, build| NewBuild { projection: projection.to_owned(), build };
        assert_eq!(words(&[]), "no projection has to be built anew");
        assert_eq!(words(&[begun("a", 4), begun("b", 5)]), "built anew: `a` (build 4), `b` (build 5)");
    }
}
