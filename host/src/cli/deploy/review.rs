//! Comparing a new build with the active one before it is activated.

use serde_json::value::RawValue;

use crate::{
    api::{Build, BuildQuery, Comparison, DEFAULT_SAMPLES},
    cli::{
        ask::{ask, is_yes},
        client::Client,
        compare::compare,
        follow::{Goal, follow},
        operation::activate,
        output::{self, say},
        progress::Progress,
    },
};

/// The review of a new build.
pub(super) struct Review<'r> {
    pub(super) client: &'r Client,
    pub(super) name: &'r str,
    pub(super) number: u64,
    pub(super) samples: Option<usize>,
    /// Whether the build is activated without a question.
    pub(super) yes: bool,
}

/// The result of a review.
pub(super) struct Reviewed {
    pub(super) build: Build,
    /// The host's comparison; `None` if no build is active to compare with, or the two cannot be compared.
    pub(super) comparison: Option<Box<RawValue>>,
}

/// Whether the build is activated.
enum Decision {
    Yes,
    No,
    /// The user cannot be asked, since there is no terminal.
    CannotAsk,
}

impl Review<'_> {
    /// Waits for the build, compares it with the active one, prints the comparison if `show`, and activates the build if the user
    /// says yes.
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
            match compare(client, name, Some(active), Some(number), samples).await {
                Ok(body) => {
                    if show {
                        output::data(client.parse::<Comparison>(&body)?)?;
                    }
                    comparison = Some(client.parse(&body)?);
                }
                // The deployment has worked. Against a stopped build there is nothing to wait for.
                Err(error) => say(format_args!(
                    "build {number} cannot be compared with the active build {active}: {error}\n`gnomon compare {name}` tries it \
                     again; `gnomon activate {name} {number}` activates build {number} without a comparison"
                )),
            }
        } else {
            say(format_args!("no build of `{name}` is active yet to compare it with"));
        }
        let mut build = followed.build;
        match self.decide()? {
            Decision::Yes => {
                let activated = activate(client, name, "activate", &BuildQuery { build: Some(number) }).await?;
                say(activated.describe());
                build = activated.operated.found().cloned().unwrap_or(build);
            }
            Decision::No => say(format_args!(
                "build {number} stays live; `gnomon activate {name} {number}` activates it, `gnomon retire {name} {number}` drops \
                 its tables"
            )),
            Decision::CannotAsk => say(format_args!(
                "build {number} stays live, since the command cannot ask without a terminal; `gnomon activate {name} {number}` \
                 activates it, and so does --yes"
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
            None => Decision::CannotAsk,
        })
    }
}
