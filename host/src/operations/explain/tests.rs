//! Explanations of real events, held against the rows that real builds have.

use std::collections::BTreeMap;

use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    builds::{Activation, BuildNumber},
    postgres::test_database::TestDatabase,
    server::tests::TestHost,
    subscriptions::{OnFailure, Redelivery},
};

const FOLD: ExplainOptions = ExplainOptions { projection: None, fold: true };

fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

/// What became of an event in the only build.
async fn explain(host: &TestHost, position: u64) -> ExplainedBuild {
    let explanation = host.operations.explain(&host.log, Position(position), FOLD).await.unwrap();
    assert_eq!(explanation.event.position, Position(position));
    let [build] = explanation.builds.try_into().unwrap();
    build
}

fn fold(build: &ExplainedBuild) -> &Fold {
    build.fold.as_ref().unwrap().as_ref().unwrap_or_else(|reason| panic!("{reason:?}"))
}

/// The rows that an event changes, before and after.
fn changes(build: &ExplainedBuild) -> Vec<[Value; 2]> {
    let read =
        |row: &Option<Box<RawValue>>| row.as_ref().map_or(Value::Null, |row| serde_json::from_str(row.get()).unwrap());
    let changes = fold(build).changes.as_ref().unwrap();
    changes.iter().map(|change| [read(&change.before), read(&change.after)]).collect()
}

/// The rows of a table of the active build, by their first column.
async fn rows(host: &TestHost, table: &str, key: &str) -> BTreeMap<String, Value> {
    let select = format!("SELECT {key}::text, to_json(row)::text FROM read_models.{table} AS row");
    let rows: Vec<(String, String)> = sqlx::query_as(&select).fetch_all(&host.database.lookups).await.unwrap();
    rows.into_iter().map(|(key, row)| (key, serde_json::from_str(&row).unwrap())).collect()
}

/// Explains each event in turn: what one finds is what those before it left, and in the end that is what the build has.
async fn changes_lead_to_the_rows(
    host: &TestHost,
    events: u64,
    (table, key): (&str, &str),
    over: impl Fn(u64) -> FoldedOver,
) {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for position in 1..=events {
        let build = explain(host, position).await;
        assert_eq!((build.status, build.dead_letter.is_none()), (Status::Handled, true), "{position}");
        assert_eq!(fold(&build).over, over(position), "{position}");
        for [before, after] in changes(&build) {
            let id = after[key].as_str().unwrap().to_owned();
            assert_eq!(found.insert(id, after).unwrap_or_default(), before, "{position}");
        }
    }
    assert_eq!(found, rows(host, table, key).await);
    assert!(!found.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_stream_is_folded_over_its_stream() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    host.deploy(&name("bank"), test_support::component("bank"), Activation::Auto).await;
    for account in 0..3 {
        let data = json!({"owner": "Ada", "currency": "EUR"});
        host.append([(format!("account-{account}"), "AccountOpened", data)]).await;
    }
    for deposit in 0..9 {
        host.deposit(deposit % 3).await;
    }
    host.caught_up(&name("bank")).await;
    // Of each three events, one is of the stream.
    let over = |position| FoldedOver::Stream { events: usize::try_from((position - 1) / 3).unwrap() };
    changes_lead_to_the_rows(&host, 12, ("bank_accounts", "account"), over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_folded_over_all_before_it_where_rows_may_depend_on_them() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    host.deploy(&name("ledger"), test_support::guest("ledger"), Activation::Auto).await;
    let opened = |account: &str| ("ledger-1".to_owned(), "Opened", json!({ "account": account }));
    host.append([opened("a"), opened("b")]).await;
    for amount in 1..4 {
        let deposit =
            |account: &str| (format!("ledger-{amount}"), "Deposited", json!({"account": account, "amount": amount}));
        host.append([deposit("a"), deposit("b")]).await;
    }
    host.caught_up(&name("ledger")).await;
    let over = |position| FoldedOver::Log { events: usize::try_from(position - 1).unwrap() };
    changes_lead_to_the_rows(&host, 8, ("ledger_accounts", "account"), over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_to_come_is_folded_over_the_rows_and_what_lies_between() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let tally = name("tally");
    let build = host.deploy(&tally, test_support::guest("tally"), Activation::Auto).await;
    let counted = |stream: &str, data| (stream.to_owned(), "Counted", data);
    host.append([counted("count-1", json!({"n": 1}))]).await;
    host.caught_up(&tally).await;
    host.operations.pause(&tally, None).await.unwrap();
    host.append([
        counted("count-1", json!({"n": 2})),
        counted("count-2", json!({"n": 9})),
        counted("count-1", json!({"n": 4})),
    ])
    .await;
    let last = explain(&host, 4).await;
    assert_eq!((last.status, last.checkpoint, last.build), (Status::ToCome, Position(1), build.name()));
    assert_eq!(fold(&last).over, FoldedOver::Rows { checkpoint: Position(1), events: 2 });
    let row = |sum, events| json!({"stream": "1", "sum": sum, "events": events, "last_version": events});
    assert_eq!(changes(&last), [[row(3, 2), row(7, 3)]]);
    // Nothing was changed by looking.
    assert_eq!(host.checkpoint(build.id).await, 1);
    assert_eq!(rows(&host, "tally_tallies", "stream").await["1"], row(1, 1));
    let without = ExplainOptions { projection: Some(tally.clone()), fold: false };
    let explanation = host.operations.explain(&host.log, Position(4), without).await.unwrap();
    assert!(explanation.builds[0].fold.is_none());

    // The build stops at an event, and the fold shows what it stops for.
    host.append([counted("count-2", json!({"n": 1, "poison": true}))]).await;
    host.operations.resume(&tally, None).await.unwrap();
    test_support::until("it halts", async || explain(&host, 5).await.status == Status::StoppedAt).await;
    let stopped = explain(&host, 5).await;
    assert_eq!(fold(&stopped).over, FoldedOver::Rows { checkpoint: Position(4), events: 0 });
    assert_eq!(fold(&stopped).changes.as_ref().unwrap_err().message, "Counted: it is poison");
    host.append([counted("count-3", json!({"n": 1}))]).await;
    let behind = explain(&host, 6).await;
    assert_eq!(behind.status, Status::ToCome);
    assert!(matches!(behind.fold, Some(Err(NotFolded::Earlier(_)))), "{behind:?}");

    // Set aside, it has a reason; those of its stream wait behind it.
    host.operations.set_on_failure(&tally, OnFailure::Park).await.unwrap();
    host.operations.retry(&tally, None, Redelivery::InOrder).await.unwrap();
    host.append([counted("count-2", json!({"n": 1}))]).await;
    host.caught_up(&tally).await;
    let (set_aside, waits) = (explain(&host, 5).await, explain(&host, 7).await);
    assert_eq!((set_aside.status, waits.status), (Status::SetAside, Status::Waits));
    assert_eq!(set_aside.dead_letter.unwrap().error.unwrap().message, "Counted: it is poison");
    assert_eq!(set_aside.fold.unwrap().unwrap_err(), NotFolded::SetAside);
    // What was set aside is passed over in a replay, as the build has done.
    let after = explain(&host, 6).await;
    assert_eq!(changes(&after), [[Value::Null, json!({"stream": "3", "sum": 1, "events": 1, "last_version": 1})]]);
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_build_passes_over_an_event_is_told() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let none = host.operations.explain(&host.log, Position(1), FOLD).await.unwrap_err();
    assert_eq!(none.to_string(), "there is no event at position 1; the newest is at 0");
    let other = ExplainOptions { projection: Some(name("nobody")), fold: true };
    host.deploy(&name("tally"), test_support::guest("tally"), Activation::Auto).await;
    let appended = [("count-1", "Other"), ("other-1", "Counted"), ("other-1", "Other"), ("count-1", "Counted")];
    host.append(appended.map(|(stream, event_type)| (stream.to_owned(), event_type, json!({"n": 1})))).await;
    host.caught_up(&name("tally")).await;
    let mut statuses = Vec::new();
    for position in 1..=4 {
        let build = explain(&host, position).await;
        assert_eq!(build.fold.is_some(), position == 4);
        statuses.push(build.status);
    }
    let passed = Status::PassedOver;
    assert_eq!(
        statuses,
        [passed(PassedOver::Type), passed(PassedOver::Category), passed(PassedOver::Type), Status::Handled]
    );
    let error = host.operations.explain(&host.log, Position(1), other).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no projection `nobody`");
    // A verification is explained beside its build.
    host.operations.verify(&name("tally"), None).await.unwrap();
    let explanation = host.operations.explain(&host.log, Position(4), FOLD).await.unwrap();
    let names: Vec<BuildName> = explanation.builds.iter().map(|build| build.build).collect();
    assert_eq!(names, [BuildName::Verification(BuildNumber(1)), BuildName::Build(BuildNumber(1))]);
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_upcasters_make_of_an_event_is_shown() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let upcaster = name("flight_arrivals");
    host.operations.upload(&upcaster, test_support::component("flight-arrivals"), Activation::Auto).await.unwrap();
    host.operations.activate_upcaster(&upcaster, None).await.unwrap();
    host.deploy(&name("flights"), test_support::component("flights"), Activation::Auto).await;
    let data = json!({"day": "2013-01-01", "carrier": "B6", "tailnum": "N708JB", "route": "JFK-BOS", "air_time": "0:44", "miles": 187,
        "scheduled_arrival": "2013-01-01T12:06:00Z", "actual_arrival": "2013-01-01T12:02:00Z"});
    host.append([("flight-20130101-B61806-JFK".to_owned(), "FlightArrived", data)]).await;
    host.caught_up(&name("flights")).await;
    let build = explain(&host, 1).await;
    let made = build.upcasted.as_ref().unwrap().made.as_ref().unwrap();
    assert_eq!((made.len(), made[0].schema_version.get(), made[0].position), (1, 2, Position(1)));
    assert!(made[0].data.contains("\"distance\""), "{made:?}");
    assert!(!changes(&build).is_empty());
    host.projector.stop().await;
}
