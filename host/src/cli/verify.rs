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
    api::{self, Batches, BuildQuery, DifferenceCause, Comparison, VerificationQuery, Verification},
    config::ClientOptions,
};

/// Prove that a read model is what its events say: build it again, aside, and compare every row.
///
/// The second build gets its events in other batches and its module fresh memory for each of them, so that a module which keeps in
/// memory what it must not shows itself. It is removed in the end. Where the two differ, the command fails.
#[derive(Args, Debug)]
pub(super) struct Verify {
    /// The projection
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
            verified = self.result(&client, by) => verified,
            signal = stop_signal() => signal.map_err(Into::into).and_then(|()| bail!("interrupted; nothing was verified")),
        };
        // Whatever came of it, nobody needs the build any more.
        if let Err(error) = retire(&client, name, by).await {
            say(format_args!(
                "build {by}, which was made to verify, is left: {error}; `gnomon retire {name} {by}` removes it"
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

    /// What the host says when the build that was made for it has caught up.
    async fn result(&self, client: &Client, by: u64) -> anyhow::Result<String> {
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
                "{events}: too few to be split into batches, so this shows nothing of what the module remembers"
            );
        }
        let (count, largest) = (figures::count(count), figures::count(largest));
        write!(f, "{events} in {count} batches of {largest} at the most, each with fresh memory")
    }
}

impl Verification {
    /// What is wrong with the build, and the way out; none if nothing is.
    fn difference(&self) -> Option<String> {
        if self.identical {
            return None;
        }
        let (name, verified, by) = (&self.projection, &self.verified, &self.by);
        Some(match self.cause {
            Some(DifferenceCause::OutOfOrder) => format!(
                "{verified} of `{name}` holds events that a retry folded behind later ones, so it is not what its log gives; \
                 `gnomon rebuild {name}` makes a build that is. This says nothing against its module"
            ),
            Some(DifferenceCause::DeadLetters) => format!(
                "{verified} of `{name}` and {by} have not set aside the same events, and so hold different ones; \
                 `gnomon dead-letters {name}` lists those of the active build, and `gnomon rebuild {name}` builds it again"
            ),
            _ => format!(
                "the read model of `{name}` is not a function of its events: built again, it came out differently; its module \
                 keeps something in memory from one batch to the next, or depends on how events are batched"
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
    fn what_is_identical_bears_its_hash() {
        let verification: Verification = serde_json::from_str(
            r#"{"projection":"bank","position":18262,"verified":{"build":4,"version":1},"by":{"build":5,"version":1},
                "identical":true,"cause":null,"batches":{"count":74,"events":18262,"largest":251},"content_hash":"ab12","tables":[]}"#,
        )
        .unwrap();
        assert_eq!(verification.difference(), None);
        insta::assert_snapshot!(verification.describe(), @r"
        identical: build 4 (version 1) of `bank` at position 18,262, 0 rows in 0 tables
        built again from 18,262 events in 74 batches of 251 at the most, each with fresh memory
        content hash ab12
        ");
    }

    #[test]
    fn what_differs_has_its_true_cause() {
        let difference = |cause: &str| {
            let verification: Verification = serde_json::from_str(&format!(
                r#"{{"projection":"bank","position":2,"verified":{{"build":4,"version":1}},"by":{{"build":5,"version":1}},
                    "identical":false,"cause":{cause},"batches":{{"count":2,"events":2,"largest":1}},"content_hash":null,
                    "tables":[]}}"#
            ))
            .unwrap();
            verification.difference().unwrap()
        };
        insta::assert_snapshot!(difference("\"out_of_order\""), @"build 4 (version 1) of `bank` holds events that a retry folded behind later ones, so it is not what its log gives; `gnomon rebuild bank` makes a build that is. This says nothing against its module");
        insta::assert_snapshot!(difference("\"dead_letters\""), @"build 4 (version 1) of `bank` and build 5 (version 1) have not set aside the same events, and so hold different ones; `gnomon dead-letters bank` lists those of the active build, and `gnomon rebuild bank` builds it again");
        assert!(difference("\"module\"").contains("keeps something in memory"));
    }

    #[test]
    fn one_event_cannot_be_split() {
        let one = Batches { count: 1, events: 1, largest: 1 };
        insta::assert_snapshot!(one.to_string(), @"1 event: too few to be split into batches, so this shows nothing of what the module remembers");
    }
}
