//! `gnomon verify`

use std::fmt;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::Method;

use super::{
    client::Client,
    compare::{Differences, rows_of, samples},
    figures,
    follow::{self, Figures},
    host::StopSignals,
    operation::request,
    output::{self, say},
    progress::Progress,
    stream_name::stream_name,
    verify_stream::{verify_snapshots, verify_stream},
};
use crate::{
    api::{
        self, Batches, BuildQuery, BuildState, DifferenceCause, OnFailure, Projection, RunningVerification,
        Verification, VerificationBegun, VerificationQuery,
    },
    config::ClientOptions,
};

/// Verify a read model: build it again from its events, and compare every row.
///
/// The second build gets the events in other batches, and its module fresh memory for each batch. So a module that wrongly keeps
/// something in memory from one batch to the next gives different rows. The second build is retired in the end. If the two differ,
/// the command fails.
///
/// Of a projection that is partitioned by stream, snapshots of up to 100 streams are folded again as well, and removed if they are wrong.
///
/// With `--stream`, nothing is built: the events of that stream are folded again, and compared with the rows that the active build has of it, and
/// with its snapshots. Snapshots that are wrong are removed. The projection must be partitioned by stream.
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the active one]
    build: Option<u64>,

    /// Check only this stream, and its snapshots
    #[arg(long, value_name = "STREAM", value_parser = stream_name, conflicts_with_all = ["build", "samples"])]
    stream: Option<String>,

    /// Rows of each kind of difference to show, for each table
    #[arg(long, value_name = "NUMBER", default_value_t = api::DEFAULT_SAMPLES,
          value_parser = samples)]
    samples: usize,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Verify {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (client, mut signals) = (Client::new(&self.client)?, StopSignals::listen()?);
        let name = &self.projection;
        if let Some(stream) = &self.stream {
            return verify_stream(&client, name, stream, self.json).await;
        }
        let begun = request(&client, name, "verify", &BuildQuery { build: self.build });
        let VerificationBegun { verification: number, .. } = client.json(begun).await?;
        let path = ["v1", "projections", name, "verify", &number.to_string()];
        let verified = tokio::select! {
            verified = self.verification(&client, &path, number) => verified,
            () = signals.next() => Err(anyhow!("interrupted; nothing was verified")),
        };
        // The build has no further use, also if the verification failed.
        if let Err(error) = client.send(client.request(Method::DELETE, &path)).await {
            say(format_args!(
                "verification {number} of `{name}` could not be ended: {error}; its tables are dropped some time later"
            ));
        }
        let body = verified?;
        let verification: Verification = client.parse(&body)?;
        let difference = verification.difference();
        let version = verification.verified.version;
        if self.json {
            output::data(body)?;
        } else {
            output::data(verification.describe())?;
        }
        let snapshots = verify_snapshots(&client, name, version).await?;
        let reasons: Vec<String> = difference.into_iter().chain(snapshots).collect();
        if reasons.is_empty() { Ok(()) } else { bail!(reasons.join("\n")) }
    }

    /// The host's answer when the build that verifies has caught up.
    async fn verification(&self, client: &Client, path: &[&str], number: u64) -> anyhow::Result<String> {
        let progress = Progress::start();
        let name = &self.projection;
        loop {
            let projection = follow::read(client, name).await?;
            let found = projection.verifications.iter().find(|found| found.verification == number);
            let found = found.with_context(|| format!("verification {number} of `{name}` does not exist any more"))?;
            match &found.state {
                BuildState::Live => break,
                BuildState::Replaying => {}
                _ => bail!(why_stopped(&projection, found)),
            }
            let RunningVerification { checkpoint, head, lag, events_per_second: rate, .. } = *found;
            follow::show(&progress, name, Figures { checkpoint, head, lag, rate });
            tokio::time::sleep(follow::POLL).await;
        }
        progress.show(0, None, "comparing every row");
        Ok(client.text(client.get(path).query(&VerificationQuery { samples: Some(self.samples) })).await?)
    }
}

/// Why a verification has stopped, and the way out.
fn why_stopped(projection: &Projection, verification: &RunningVerification) -> String {
    let name = &projection.name;
    let why = verification.why_it_stopped(name);
    let mut why = why.unwrap_or_else(|| format!("{} of `{name}` is {}", verification.label(), verification.state));
    let set_aside = projection.build(verification.build).map_or(0, |verified| verified.dead_letters);
    if set_aside > 0 && projection.on_failure == OnFailure::Halt {
        let events = figures::counted(set_aside, "event");
        why += &format!(
            "\nbuild {} has set {events} aside, and `{name}` halts at such an event now: nothing was compared. `gnomon on-failure {name} \
             skip`, or `park`, lets a verification set them aside as well",
            verification.build
        );
    }
    why
}

impl fmt::Display for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, events, largest } = *self;
        let events = figures::counted(events, "event");
        if count < 2 {
            return write!(
                f,
                "{events}: too few for several batches, so this does not show whether the module keeps something in memory"
            );
        }
        let (count, largest) = (figures::count(count), figures::count(largest));
        write!(f, "{events} in {count} batches of at most {largest}, each with fresh memory")
    }
}

impl Verification {
    /// Why the builds differ, and the way out; `None` if they are identical.
    fn difference(&self) -> Option<String> {
        if self.identical {
            return None;
        }
        let (name, verified) = (&self.projection, &self.verified);
        Some(match self.cause {
            Some(DifferenceCause::OutOfOrder) => format!(
                "{verified} of `{name}` holds events that a retry folded after later events; `gnomon rebuild {name}` begins a build \
                 that folds all events in order. Its module is not at fault"
            ),
            Some(DifferenceCause::DeadLetters) => format!(
                "{verified} of `{name}` has set other events aside than when it is built again; `gnomon dead-letters {name} --build {}` \
                 lists them, and `gnomon rebuild {name}` builds it again",
                verified.build
            ),
            _ => format!(
                "the read model of `{name}` is not a function of its events: built again, it has different rows. Its module keeps \
                 something in memory from one batch to the next, or depends on how events are batched"
            ),
        })
    }

    fn describe(self) -> String {
        let Self { projection, position, verification, verified, identical, batches, content_hash, tables, .. } = self;
        if identical {
            let (at, rows) = (figures::count(position), rows_of(&tables));
            let hash = content_hash.unwrap_or_default();
            return format!(
                "identical: {verified} of `{projection}` at position {at}, {rows}\nbuilt again from {batches}\ncontent hash {hash}"
            );
        }
        let right = format!("verification {verification}");
        let differences =
            Differences { projection: &projection, left: &verified, right: &right, position, tables: &tables };
        differences.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    #[test]
    fn identical_builds_have_a_hash() {
        let verification: Verification = serde_json::from_str(
            r#"{"projection":"bank","position":18262,"verification":1,"verified":{"build":4,"version":1},
                "identical":true,"cause":null,"batches":{"count":74,"events":18262,"largest":251},"content_hash":"ab12","tables":[]}"#,
        )
        .unwrap();
        assert_eq!(verification.difference(), None);
        insta::assert_snapshot!(verification.describe(), @r"
        identical: build 4 (version 1) of `bank` at position 18,262, 0 rows in 0 tables
        built again from 18,262 events in 74 batches of at most 251, each with fresh memory
        content hash ab12
        ");
    }

    #[test]
    fn a_difference_has_its_cause() {
        let difference = |cause: &str| {
            let verification: Verification = serde_json::from_str(&format!(
                r#"{{"projection":"bank","position":2,"verification":1,"verified":{{"build":4,"version":1}},
                    "identical":false,"cause":{cause},"batches":{{"count":2,"events":2,"largest":1}},"content_hash":null,
                    "tables":[]}}"#
            ))
            .unwrap();
            verification.difference().unwrap()
        };
        insta::assert_snapshot!(difference("\"out_of_order\""), @"build 4 (version 1) of `bank` holds events that a retry folded after later events; `gnomon rebuild bank` begins a build that folds all events in order. Its module is not at fault");
        insta::assert_snapshot!(difference("\"dead_letters\""), @"build 4 (version 1) of `bank` has set other events aside than when it is built again; `gnomon dead-letters bank --build 4` lists them, and `gnomon rebuild bank` builds it again");
        assert!(difference("\"module\"").contains("keeps something in memory"));
    }

    #[test]
    fn a_verification_that_halts_where_the_build_set_events_aside_says_so() {
        let error = json!({"reason": "module", "position": 3, "kind": "refused", "message": "it is poison"});
        let stopped = |dead_letters: u64| {
            let build = samples::build(json!({"dead_letters": dead_letters}));
            let projection = samples::projection(Some(4), vec![build]);
            why_stopped(&projection, &samples::verification(json!({"state": "halted", "error": error})))
        };
        insta::assert_snapshot!(stopped(1), @r"
        verification 1 of `bank` (build 4) halted at position 3: its module could not handle the event
          message  it is poison
          see it   gnomon events --after 2 --limit 1
        build 4 has set 1 event aside, and `bank` halts at such an event now: nothing was compared. `gnomon on-failure bank skip`, or `park`, lets a verification set them aside as well
        ");
        assert!(!stopped(0).contains("set them aside"));
    }

    #[test]
    fn one_event_cannot_be_split() {
        let one = Batches { count: 1, events: 1, largest: 1 };
        insta::assert_snapshot!(one.to_string(), @"1 event: too few for several batches, so this does not show whether the module keeps something in memory");
    }
}
