//! Looking at a new build beside the active one before queries turn to it.

use anyhow::Context;
use serde_json::value::RawValue;

use crate::{
    api::{Build, BuildQuery, Comparison, DEFAULT_SAMPLES},
    cli::{
        ask::{ask, is_yes},
        client::Client,
        compare::compare,
        follow::{Goal, follow},
        operation::operate,
        output::{self, say},
        progress::Progress,
    },
};

/// A build that is to be looked at.
pub(super) struct Review<'r> {
    pub(super) client: &'r Client,
    pub(super) name: &'r str,
    pub(super) number: u64,
    pub(super) samples: Option<usize>,
    /// Whether queries turn to it without a question.
    pub(super) yes: bool,
}

/// What came of it.
pub(super) struct Reviewed {
    pub(super) build: Build,
    /// What the host said of the differences; none if there was nothing to compare with.
    pub(super) comparison: Option<Box<RawValue>>,
}

/// Whether queries shall turn to the build.
enum Decision {
    Yes,
    No,
    /// Nobody can be asked.
    Later,
}

impl Review<'_> {
    /// Waits for the build, compares it with the active one, shows that if it is to be shown, and activates the build if somebody
    /// says so.
    pub(super) async fn run(self, show: bool) -> anyhow::Result<Reviewed> {
        let Self { client, name, number, .. } = self;
        let progress = Progress::start();
        let followed = follow(client, name, number, Goal::Live, &progress).await?;
        drop(progress);
        say(followed.describe());
        if followed.is_active() {
            return Ok(Reviewed { build: followed.build, comparison: None });
        }
        let mut comparison = None;
        if let Some(active) = followed.active() {
            let samples = self.samples.unwrap_or(DEFAULT_SAMPLES);
            let told = compare(client, name, Some(active), Some(number), samples).await;
            let body = told.with_context(|| format!("build {number} waits, for it could not be compared"))?;
            if show {
                output::data(client.parse::<Comparison>(&body)?)?;
            }
            comparison = Some(client.parse(&body)?);
        } else {
            say(format_args!("there is nothing to compare it with: queries read no build of `{name}` yet"));
        }
        let mut build = followed.build;
        match self.decide()? {
            Decision::Yes => {
                let operated = operate(client, name, "activate", &BuildQuery { build: Some(number) }).await?;
                say(format_args!("queries read {}", operated.label()));
                build = operated.found().cloned().unwrap_or(build);
            }
            Decision::No => say(format_args!(
                "build {number} stays live; `gnomon activate {name} {number}` turns queries to it, `gnomon retire {name} {number}` \
                 drops it"
            )),
            Decision::Later => say(format_args!(
                "build {number} waits, for nobody can be asked here; `gnomon activate {name} {number}` turns queries to it"
            )),
        }
        Ok(Reviewed { build, comparison })
    }

    fn decide(&self) -> std::io::Result<Decision> {
        if self.yes {
            return Ok(Decision::Yes);
        }
        Ok(match ask("Activate? [y/N]")? {
            Some(answer) if is_yes(&answer) => Decision::Yes,
            Some(_) => Decision::No,
            None => Decision::Later,
        })
    }
}
