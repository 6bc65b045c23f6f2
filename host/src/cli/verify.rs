//! `gnomon verify`

use std::fmt;

use anyhow::bail;
use clap::Args;

use super::{
    client::Client,
    compare::{rows_of, samples},
    figures,
    follow::{Goal, follow},
    host::stop_signal,
    operation::operate,
    output::{self, say},
    progress::Progress,
    retire::retire,
};
use crate::{
    api::{self, Batches, BuildQuery, Comparison, DifferenceCause, Verification, VerificationQuery},
    config::ClientOptions,
};

/// Verify a read model: build it again from its events, and compare every row.
///
/// The second build gets the events in other batches, and its module fresh memory for each batch. So a module that wrongly keeps
/// something in memory from one batch to the next gives different rows. The second build is retired in the end. If the two differ,
/// the command fails.
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the active one]
    build: Option<u64>,

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
        let client = Client::new(&self.client)?;
        let name = &self.projection;
        let begun = operate(&client, name, "verify", &BuildQuery { build: self.build }).await?;
        let by = begun.number();
        let verified = tokio::select! {
            verified = self.verification(&client, by) => verified,
            signal = stop_signal() => signal.map_err(Into::into).and_then(|()| bail!("interrupted; nothing was verified")),
        };
        // The build has no further use, also if the verification failed.
        if let Err(error) = retire(&client, name, by).await {
            say(format_args!(
                "build {by}, which was made to verify, could not be retired: {error}; `gnomon retire {name} {by}` retires it"
            ));
        }
        let body = verified?;
        let verification: Verification = client.parse(&body)?;
        let difference = verification.difference();
        if self.json {
            output::data(body)?;
        } else {
            output::data(verification.describe())?;
        }
        difference.map_or(Ok(()), |difference| bail!(difference))
    }

    /// The host's answer when the build that verifies has caught up.
    async fn verification(&self, client: &Client, by: u64) -> anyhow::Result<String> {
        let progress = Progress::start();
        follow(client, &self.projection, by, Goal::Live, &progress).await?;
        progress.show(0, None, "comparing every row");
        let path = ["v1", "projections", &self.projection, "verify", &by.to_string()];
        Ok(client.text(client.get(&path).query(&VerificationQuery { samples: Some(self.samples) })).await?)
    }
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
        let (name, verified, by) = (&self.projection, &self.verified, &self.by);
        Some(match self.cause {
            Some(DifferenceCause::OutOfOrder) => format!(
                "{verified} of `{name}` holds events that a retry folded after later events; `gnomon rebuild {name}` begins a build \
                 that folds all events in order. Its module is not at fault"
            ),
            Some(DifferenceCause::DeadLetters) => format!(
                "{verified} of `{name}` and {by} have set aside different events; `gnomon dead-letters {name}` lists those of the \
                 active build, and `gnomon rebuild {name}` builds it again"
            ),
            _ => format!(
                "the read model of `{name}` is not a function of its events: built again, it has different rows. Its module keeps \
                 something in memory from one batch to the next, or depends on how events are batched"
            ),
        })
    }

    fn describe(self) -> String {
        let Self { projection, position, verified, by, identical, batches, content_hash, tables, .. } = self;
        if identical {
            let (at, rows) = (figures::count(position), rows_of(&tables));
            let hash = content_hash.unwrap_or_default();
            return format!(
                "identical: {verified} of `{projection}` at position {at}, {rows}\nbuilt again from {batches}\ncontent hash {hash}"
            );
        }
        Comparison { projection, position, left: verified, right: by, identical, tables }.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_builds_have_a_hash() {
        let verification: Verification = serde_json::from_str(
            r#"{"projection":"bank","position":18262,"verified":{"build":4,"version":1},"by":{"build":5,"version":1},
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
                r#"{{"projection":"bank","position":2,"verified":{{"build":4,"version":1}},"by":{{"build":5,"version":1}},
                    "identical":false,"cause":{cause},"batches":{{"count":2,"events":2,"largest":1}},"content_hash":null,
                    "tables":[]}}"#
            ))
            .unwrap();
            verification.difference().unwrap()
        };
        insta::assert_snapshot!(difference("\"out_of_order\""), @"build 4 (version 1) of `bank` holds events that a retry folded after later events; `gnomon rebuild bank` begins a build that folds all events in order. Its module is not at fault");
        insta::assert_snapshot!(difference("\"dead_letters\""), @"build 4 (version 1) of `bank` and build 5 (version 1) have set aside different events; `gnomon dead-letters bank` lists those of the active build, and `gnomon rebuild bank` builds it again");
        assert!(difference("\"module\"").contains("keeps something in memory"));
    }

    #[test]
    fn one_event_cannot_be_split() {
        let one = Batches { count: 1, events: 1, largest: 1 };
        insta::assert_snapshot!(one.to_string(), @"1 event: too few for several batches, so this does not show whether the module keeps something in memory");
    }
}
