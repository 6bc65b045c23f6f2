//! Builds that read the log together have their own rows and their own ends.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    builds::{Activation, BuildState, RetiredBuilds},
    postgres::test_database::TestDatabase,
    read_model::Identifier,
    server::tests::TestHost,
};

const EVENTS: i64 = 24_000;
const POISON_AT: i64 = 15_001;

/// Each second event is of the ledger, the others are counted: a build wants half of what is read for both.
fn event(position: i64) -> (String, &'static str, Value) {
    let account = position / 2 % 100;
    match position {
        counted if counted % 2 == 1 => {
            let (stream, poison) = (format!("count-{}", counted % 77), counted == POISON_AT);
            (stream, "Counted", json!({"n": counted, "poison": poison}))
        }
        opened if opened <= 200 => (format!("ledger-{account}"), "Opened", json!({"account": account.to_string()})),
        moved => ("ledger-x".to_owned(), "Deposited", json!({"account": account.to_string(), "amount": moved})),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_that_read_together_end_by_themselves() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    host.append((1..=EVENTS).map(event)).await;
    let [ledger, tally, retired, other] =
        ["ledger", "tally", "retired", "other"].map(|name| Identifier::new(name).unwrap());
    for (name, module) in [(&tally, "tally"), (&ledger, "ledger"), (&other, "ledger")] {
        host.deploy(name, test_support::guest(module), Activation::Auto).await;
    }
    let leaves = host.deploy(&retired, test_support::guest("tally"), Activation::Manual).await;
    host.operations.retire(&retired, leaves.number).await.unwrap();
    host.caught_up(&ledger).await;
    host.caught_up(&other).await;
    test_support::until("the build halts at the event that it cannot handle", async || {
        let projection = host.operations.projection(&tally, RetiredBuilds::Hidden).await.unwrap().unwrap();
        let build = &projection.builds[0];
        build.state == BuildState::Halted && build.checkpoint.0.cast_signed() == POISON_AT - 1
    })
    .await;

    let mut balances = BTreeMap::new();
    for position in (2..=EVENTS).step_by(2) {
        let amount = if position <= 200 { 0 } else { position };
        *balances.entry((position / 2 % 100).to_string()).or_default() += amount;
    }
    for name in [&ledger, &other] {
        let rows = format!("SELECT account, balance FROM read_models.{}_accounts", name.as_str());
        let found: Vec<(String, i64)> = sqlx::query_as(&rows).fetch_all(&host.database.lookups).await.unwrap();
        assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), balances, "{name}");
    }
    host.projector.stop().await;
}
