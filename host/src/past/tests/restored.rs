//! Snapshots of another log, damaged ones, and ones that are too many.

use uuid::Uuid;

use super::{
    snapshots::{Taken, of_stream},
    *,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_log_or_of_other_bytes_is_not_used() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    let bank = name("bank");
    host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    moved(&host, "account-1", 39).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "bank", version: None };
    let expected = tables(&asked.at(35).await);
    assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30]);

    // As if the log had been restored to version 29, and gone on otherwise: the event of the snapshot is another one.
    let logic = logic::choose(&host.past.pool, &bank, None).await.unwrap();
    let lineage = host.past.load(logic).await.unwrap().lineage;
    let stream = stream_name("account-1");
    let stamp = of_stream(&host.past.pool, lineage, &stream).await.unwrap()[2].stamp;
    let contents: Vec<u8> = sqlx::query_scalar("SELECT contents FROM gnomon.snapshots WHERE version = 10")
        .fetch_one(&host.database.lookups)
        .await
        .unwrap();
    for other in [
        reading::EventStamp { id: Uuid::now_v7(), ..stamp },
        reading::EventStamp { recorded_at: gnomon_values::Instant(stamp.recorded_at.0 + 1), ..stamp },
        reading::EventStamp { position: stamp.position.next(), ..stamp },
    ] {
        host.past.snapshots.keep(lineage, &stream, vec![Taken { stamp: other, contents: contents.clone() }]);
        written(&host).await;
        let state = asked.at(35).await;
        // It is removed, and the next one is taken on the way.
        assert_eq!((tables(&state), state.told.began_at.0), (expected.clone(), 20));
        assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30]);
        assert_eq!(asked.at(35).await.told.began_at.0, 30);
    }

    // Bytes that are not what was written: of the rows, of the digest, and rows of another event.
    for damage in [
        "contents = set_byte(contents, length(contents) - 1, 255 - get_byte(contents, length(contents) - 1))",
        "digest = set_byte(digest, 0, 255 - get_byte(digest, 0))",
        "contents = (SELECT contents FROM gnomon.snapshots WHERE version = 10), digest = (SELECT digest FROM gnomon.snapshots WHERE version = 10)",
    ] {
        let damage = format!("UPDATE gnomon.snapshots SET {damage} WHERE version = 30");
        assert_eq!(sqlx::query(&damage).execute(&host.database.lookups).await.unwrap().rows_affected(), 1);
        let state = asked.at(35).await;
        assert_eq!((tables(&state), state.told.began_at.0), (expected.clone(), 20), "{damage}");
        assert_eq!(snapshots(&host, "account-1").await, [10, 20, 30], "{damage}");
    }
    host.projector.stop().await;
}

/// A version that was uploaded after the dump was made is another one when the next is uploaded to the restored database.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_has_another_component_since_a_restore_tells_by_that_one() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    for (module, component) in
        [("bank", test_support::component("bank")), ("shop", test_support::guest("tally_by_stream"))]
    {
        host.deploy(&name(module), component, Activation::Auto).await;
    }
    moved(&host, "account-1", 2).await;
    let asked = Asked { host: &host, stream: "account-1", projection: "shop", version: None };
    assert_eq!(tables(&asked.at(3).await), [("tallies".to_owned(), vec![])].into());
    let restored = "UPDATE gnomon.module_versions SET (digest, descriptor, component) =
                        (SELECT digest, descriptor, component FROM gnomon.module_versions WHERE module = 'bank')
                    WHERE module = 'shop'";
    assert_eq!(sqlx::query(restored).execute(&host.database.lookups).await.unwrap().rows_affected(), 1);
    assert_eq!(tables(&asked.at(3).await)["accounts"].len(), 1);
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_take_no_more_than_they_may() {
    let database = TestDatabase::create().await;
    let settings = PastSettings { max_snapshots_bytes: 3000, ..every(10) };
    let host = host(&database, settings).await;
    host.deploy(&name("bank"), test_support::component("bank"), Activation::Auto).await;
    for account in 0..5 {
        moved(&host, &format!("account-{account}"), 39).await;
        let stream = format!("account-{account}");
        Asked { host: &host, stream: &stream, projection: "bank", version: None }.at(40).await;
        written(&host).await;
        let bytes: i64 = sqlx::query_scalar("SELECT sum(bytes)::bigint FROM gnomon.snapshots")
            .fetch_one(&host.database.lookups)
            .await
            .unwrap();
        assert!(bytes <= 3000, "{bytes}");
    }
    // Those that were used last are there.
    assert!(!snapshots(&host, "account-4").await.is_empty());
    assert!(snapshots(&host, "account-0").await.is_empty());
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_of_rows_that_grow_are_further_apart() {
    let database = TestDatabase::create().await;
    let host = host(&database, every(10)).await;
    host.deploy(&name("baskets"), test_support::guest("baskets"), Activation::Auto).await;
    let added = |item: u32| ("basket-1".to_owned(), "Added", json!({"item": format!("item {item}"), "count": 1}));
    // Each event reads all rows.
    host.append((0..500).map(added)).await;
    let asked = Asked { host: &host, stream: "basket-1", projection: "baskets", version: None };
    asked.at(500).await;
    let found = snapshots(&host, "basket-1").await;
    let (snapshots, events): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT sum(length(contents))::bigint FROM gnomon.snapshots), sum(length(data::text) + 150)::bigint FROM gnomon.events",
    )
    .fetch_one(&host.database.lookups)
    .await
    .unwrap();
    assert!(found.len() > 3 && found.len() < 20, "{found:?}");
    assert!(snapshots < 2 * events, "{snapshots} bytes of snapshots, {events} of events");
    // From each version, a snapshot is not further away than half of the events before it.
    assert!(found.windows(2).all(|two| two[1] <= 2 * two[0] + 10) && found.last() >= Some(&250), "{found:?}");
    assert!(found.windows(3).all(|three| three[1] - three[0] <= three[2] - three[1] + 10), "{found:?}");
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_go_on_from_the_one_before_is_of_another_log() {
    let database = TestDatabase::create().await;
    let host = host(&database, PastSettings::default()).await;
    moved(&host, "account-1", 9).await;
    let stream = stream_name("account-1");
    let third = reading::EventStamp::of(&events(&host, "account-1").await[2]);
    let mut reading = reading::StreamReading::after(&host.log, &stream, Some(third));
    let versions = |events: Vec<RecordedEvent>| events.iter().map(|event| event.version.0).collect::<Vec<_>>();
    assert_eq!(versions(reading.next(StreamVersion(3)).await.unwrap().unwrap()), Vec::<u64>::new());
    assert_eq!(versions(reading.next(StreamVersion(6)).await.unwrap().unwrap()), [4, 5, 6]);
    assert_eq!(versions(reading.next(StreamVersion(10)).await.unwrap().unwrap()), [7, 8, 9, 10]);
    // The log ends before the version that it had.
    assert!(reading.next(StreamVersion(11)).await.unwrap().is_err());
    let other = reading::EventStamp { id: Uuid::now_v7(), ..third };
    for to in [3, 6] {
        let mut reading = reading::StreamReading::after(&host.log, &stream, Some(other));
        assert!(reading.next(StreamVersion(to)).await.unwrap().is_err(), "{to}");
    }
    let mut none = reading::StreamReading::after(&host.log, &stream, None);
    assert!(none.next(StreamVersion(0)).await.unwrap().unwrap().is_empty());
    host.projector.stop().await;
}
