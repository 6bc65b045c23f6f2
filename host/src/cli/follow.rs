//! Following a build until it has caught up or is active.

use std::time::Duration;

use anyhow::{Context, bail};

use super::{
    client::{Client, ClientError},
    figures,
    progress::{Progress, time_left},
};
use crate::api::{Build, BuildState, Projection, ProjectionsQuery};

/// How often the build's state is read.
pub(super) const POLL: Duration = Duration::from_millis(200);
/// How often in a row the host may fail to answer: for about a minute.
const MAX_MISSES: u32 = 300;

/// The state until which a build is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// It has caught up.
    Live,
    /// It is active.
    Active,
    /// It is active, or it has caught up and does not become active by itself.
    ActiveUnlessManual,
}

/// A build that has reached its goal.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) projection: String,
    pub(super) build: Build,
    active: Option<u64>,
}

impl Followed {
    /// Whether queries read it.
    pub(super) fn is_active(&self) -> bool {
        self.active == Some(self.build.build)
    }

    /// The build that queries read.
    pub(super) fn active(&self) -> Option<u64> {
        self.active
    }

    /// Its state, as a sentence.
    pub(super) fn describe(&self) -> String {
        let Self { projection, build, active } = self;
        let (number, at) = (build.build, figures::count(build.checkpoint));
        if self.is_active() {
            return format!("build {number} of `{projection}` is active at position {at}");
        }
        let read = match active {
            Some(active) => format!("queries read build {active}"),
            None => "no build is active yet".to_owned(),
        };
        format!("build {number} of `{projection}` has caught up at position {at} and is live; {read}")
    }
}

/// Follows a build until it has reached its goal.
///
/// # Errors
/// The build stops or is dropped, or the host does not answer.
pub(super) async fn follow(
    client: &Client,
    name: &str,
    number: u64,
    goal: Goal,
    progress: &Progress,
) -> anyhow::Result<Followed> {
    loop {
        let projection = read(client, name).await?;
        let gone = || format!("build {number} of `{name}` does not exist any more: it was replaced");
        let build = projection.build(number).with_context(gone)?;
        if has_arrived(&projection, build, goal)? {
            return Ok(Followed { projection: name.to_owned(), build: build.clone(), active: projection.active_build });
        }
        let Build { checkpoint, head, lag, events_per_second: rate, .. } = *build;
        show(progress, name, Figures { checkpoint, head, lag, rate });
        tokio::time::sleep(POLL).await;
    }
}

/// Reads a projection with its retired builds, also after an outage of the host.
pub(super) async fn read(client: &Client, name: &str) -> Result<Projection, ClientError> {
    let mut misses = 0;
    loop {
        let request =
            client.get(&["v1", "projections", name]).query(&ProjectionsQuery { retired: true, reading: false });
        match client.json(request).await {
            Err(error) if error.is_temporary() && misses < MAX_MISSES => {
                misses += 1;
                tokio::time::sleep(POLL).await;
            }
            read => return read,
        }
    }
}

/// Whether a build has reached its goal.
fn has_arrived(projection: &Projection, build: &Build, goal: Goal) -> anyhow::Result<bool> {
    let name = projection.name.as_str();
    match &build.state {
        BuildState::Replaying => Ok(false),
        BuildState::Active => Ok(true),
        // It has caught up, and its error says why it could not be activated.
        BuildState::Live => match build.error.as_ref().filter(|_| goal != Goal::Live) {
            Some(error) => bail!(
                "build {number} of `{name}` has caught up and is live, but {error}; `gnomon activate {name} {number}` tries it again",
                number = build.build
            ),
            None if goal == Goal::Active && !build.activate_when_live => bail!(superseded(projection, build)),
            // Only an operator activates a build that does not become active by itself.
            None => Ok(goal == Goal::Live || !build.activate_when_live),
        },
        BuildState::Paused => bail!(
            "build {number} of `{name}` is paused, at position {} of {}; `gnomon resume {name} {number}` resumes it",
            build.checkpoint,
            build.head,
            number = build.build
        ),
        BuildState::Retired => bail!(superseded(projection, build)),
        state => match build.why_it_stopped(name) {
            Some(why) => bail!(why),
            None => {
                bail!(
                    "build {} of `{name}` is {state}, at position {} of {}",
                    build.build,
                    build.checkpoint,
                    build.head
                )
            }
        },
    }
}

/// Says that a build does not become active, since another one does: whether it had caught up by then makes no difference.
fn superseded(projection: &Projection, build: &Build) -> String {
    let Projection { name, builds, active_build, .. } = projection;
    let label = format!("{} of `{name}`", build.label());
    let is_active = |other: &Build| *active_build == Some(other.build);
    let successor = builds.iter().find(|other| {
        other.build != build.build
            && (other.activate_when_live || is_active(other))
            && other.state != BuildState::Retired
    });
    match successor {
        Some(other) if other.build > build.build => {
            let becomes = if is_active(other) { "became" } else { "becomes" };
            format!("{label} was superseded: {}, which was begun after it, {becomes} active instead", other.label())
        }
        Some(other) => format!("{label} does not become active: an operator chose {} instead", other.label()),
        None => format!("{label} does not become active; `gnomon history {name}` says why"),
    }
}

/// How far a build is.
pub(super) struct Figures {
    pub(super) checkpoint: u64,
    pub(super) head: u64,
    pub(super) lag: Option<u64>,
    pub(super) rate: f64,
}

/// Shows how far a build of a projection is.
pub(super) fn show(progress: &Progress, name: &str, Figures { checkpoint, head, lag, rate }: Figures) {
    let mut line = format!("{name}: position {} of {}", figures::count(checkpoint), figures::count(head));
    if rate > 0.0 {
        line += &format!(", {} events/s", figures::rate(rate));
    }
    if let Some(left) = lag.and_then(|lag| time_left(lag, rate)) {
        line += &format!(", {} left", figures::time(left));
    }
    progress.show(checkpoint, Some(head.max(1)), line);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    fn build(state: &str, activate_when_live: bool, error: Option<&str>) -> Build {
        samples::build(json!({
            "version": 2, "state": state, "checkpoint": 1016, "head": 2000, "lag": 984,
            "error": error.map(|message| json!({"reason": "host", "message": message})),
            "activate_when_live": activate_when_live,
        }))
    }

    #[test]
    fn a_build_that_becomes_active_by_itself_is_followed_until_it_is() {
        let arrived = |state, by_itself, goal| {
            let build = build(state, by_itself, None);
            has_arrived(&samples::projection(None, vec![build.clone()]), &build, goal).unwrap()
        };
        assert!(!arrived("replaying", true, Goal::Live));
        assert!(!arrived("live", true, Goal::Active));
        assert!(arrived("live", true, Goal::Live));
        assert!(arrived("live", false, Goal::ActiveUnlessManual), "an operator activates it");
        assert!(!arrived("live", true, Goal::ActiveUnlessManual));
        assert!(arrived("active", false, Goal::Active));
    }

    #[test]
    fn a_build_that_stopped_is_an_error_with_the_way_out() {
        let error = |state, error| {
            let build = build(state, false, error);
            let projection = samples::projection(None, vec![build.clone()]);
            has_arrived(&projection, &build, Goal::Active).unwrap_err().to_string()
        };
        let paused = error("paused", None);
        assert!(paused.contains("position 1016 of 2000; `gnomon resume bank 4` resumes it"), "{paused}");
        assert!(error("failed", Some("the disk is full")).ends_with("failed: the disk is full"));
        let not_activated = error("live", Some("the build cannot be activated: a view"));
        assert_eq!(
            not_activated,
            "build 4 of `bank` has caught up and is live, but the build cannot be activated: a view; `gnomon activate bank 4` tries it again"
        );
    }

    /// Of several deployments at once one wins. Where the others were by then makes no difference to what they say.
    #[test]
    fn a_build_that_was_superseded_is_one_error_whether_it_had_caught_up_or_not() {
        let newer = |state: &str, waits: bool| {
            samples::build(json!({"build": 6, "version": 3, "state": state, "activate_when_live": waits}))
        };
        let error = |active, newer: Build, state| {
            let build = build(state, false, None);
            let projection = samples::projection(active, vec![newer, build.clone()]);
            has_arrived(&projection, &build, Goal::Active).unwrap_err().to_string()
        };
        for state in ["retired", "live"] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(error(Some(1), newer("replaying", true), state), @"build 4 (version 2) of `bank` was superseded: build 6 (version 3), which was begun after it, becomes active instead");
                insta::assert_snapshot!(error(Some(6), newer("halted", false), state), @"build 4 (version 2) of `bank` was superseded: build 6 (version 3), which was begun after it, became active instead");
                insta::assert_snapshot!(error(None, newer("retired", false), state), @"build 4 (version 2) of `bank` does not become active; `gnomon history bank` says why");
            }
        }
    }

    #[test]
    fn the_description_names_the_active_build() {
        let describe = |active| {
            let build = build("live", false, None);
            Followed { projection: "bank".to_owned(), build, active }.describe()
        };
        assert_eq!(describe(Some(4)), "build 4 of `bank` is active at position 1,016");
        assert!(describe(Some(3)).ends_with("at position 1,016 and is live; queries read build 3"));
        assert!(describe(None).ends_with("and is live; no build is active yet"));
    }
}
