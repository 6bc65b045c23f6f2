//! Rows and snapshots that are not what the events give.

use super::{snapshots::of_stream, *};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_snapshots_and_rows_are_found() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    let bank = name("bank");
    let build = host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    moved(&host, "account-1", 49).await;
    host.caught_up(&bank).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    asked.at(50).await;
    assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30, 40, 50]);
    let verification = asked.verify().await;
    assert_eq!((verification.snapshots, verification.told.read), (5, 50));
    let rows = verification.rows.unwrap();
    assert_eq!((rows.compared, rows.different, rows.checkpoint.0), (1, 0, 50));

    // The rows of version 10 stand at version 30, with a digest as if that were right: only its events can tell.
    let logic = logic::choose(&host.past.pool, &bank, None).await.unwrap();
    let lineage = host.past.load(logic).await.unwrap().lineage;
    let stream = stream_name("account-1");
    let stored = of_stream(&host.past.pool, lineage, &stream).await.unwrap();
    let contents: Vec<u8> = sqlx::query_scalar("SELECT contents FROM gnomon.snapshots WHERE version = 10")
        .fetch_one(&host.database.lookups)
        .await
        .unwrap();
    host.past.snapshots.keep(lineage, &stream, vec![snapshots::Taken { stamp: stored[2].stamp, contents }]);
    written(&host).await;
    assert_ne!(tables(&asked.at(30).await)["accounts"][0]["transactions"], 29);
    let verification = asked.verify().await;
    let wrong: Vec<u64> = verification.wrong_snapshots.iter().map(|version| version.0).collect();
    assert_eq!(wrong, [30]);
    assert_eq!(snapshots(&host, "account-1").await, [10, 20, 40, 50]);
    assert_eq!(tables(&asked.at(30).await)["accounts"][0]["transactions"], 29);

    // A row that somebody has changed.
    let update = format!("UPDATE {}.accounts SET balance = balance + 1", build.id.schema());
    sqlx::query(&update).execute(&host.database.lookups).await.unwrap();
    let rows = asked.verify().await.rows.unwrap();
    assert_eq!((rows.compared, rows.different), (1, 1));
    let read = |row: &Option<Box<serde_json::value::RawValue>>| -> Value {
        serde_json::from_str(row.as_ref().unwrap().get()).unwrap()
    };
    let [difference] = rows.differences.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        read(&difference.found)["balance"].as_i64(),
        read(&difference.expected)["balance"].as_i64().map(|it| it + 1)
    );
    // A row that is missing.
    let delete = format!("DELETE FROM {}.accounts", build.id.schema());
    sqlx::query(&delete).execute(&host.database.lookups).await.unwrap();
    let rows = asked.verify().await.rows.unwrap();
    assert!(rows.different == 1 && rows.differences[0].found.is_none(), "{rows:?}");
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_a_projection_are_checked_together() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    let bank = name("bank");
    host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    for account in 1..=3 {
        let stream = format!("account-{account}");
        moved(&host, &stream, 29).await;
        Asked { host: &host, stream: &stream, projection: "bank", version: None }.at(30).await;
    }
    written(&host).await;
    let all = host.past.verify_snapshots(&host.log, &bank, None).await.unwrap();
    assert_eq!((all.streams, all.snapshots, all.wrong.len(), all.is_all), (3, 9, 0, true));
    // A damaged one, and those of a stream that the log does not have.
    for change in [
        "UPDATE gnomon.snapshots SET contents = contents || '\\x00' WHERE stream = 'account-2' AND version = 20",
        "UPDATE gnomon.snapshots SET stream = 'account-9' WHERE stream = 'account-3'",
    ] {
        sqlx::query(change).execute(&host.database.lookups).await.unwrap();
    }
    let mut all = host.past.verify_snapshots(&host.log, &bank, None).await.unwrap();
    all.wrong.sort();
    let wrong: Vec<(&str, u64)> = all.wrong.iter().map(|(stream, version)| (stream.as_str(), version.0)).collect();
    assert_eq!(wrong, [("account-2", 20), ("account-9", 10), ("account-9", 20), ("account-9", 30)]);
    let all = host.past.verify_snapshots(&host.log, &bank, None).await.unwrap();
    assert_eq!((all.streams, all.snapshots, all.wrong.len()), (2, 5, 0));
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_behind_is_compared_at_its_checkpoint() {
    let database = TestDatabase::create().await;
    let host = host(&database, PastSettings::default()).await;
    let bank = name("bank");
    host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    moved(&host, "account-1", 9).await;
    host.caught_up(&bank).await;
    host.operations.pause(&bank, None).await.unwrap();
    let more = (0..20).map(|_| ("account-1".to_owned(), "MoneyDeposited", json!({"amount": 1, "currency": "EUR"})));
    host.append(more).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    let verification = asked.verify().await;
    assert_eq!((verification.told.read, verification.told.newest.0), (30, 30));
    let rows = verification.rows.unwrap();
    assert_eq!((rows.compared, rows.different, rows.checkpoint.0), (1, 0, 10));
    host.projector.stop().await;
}
