//! A host that is killed at any instant loses nothing and doubles nothing.

use std::time::Duration;

use gnomon::postgres::test_database::TestDatabase;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{FLIGHT_TABLES, Host, deploy_flights, deploy_upcaster, fingerprint_of, week, week_ndjson};

/// How often the host is killed.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_instants_leave_the_tables_as_they_would_be() {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::create().await;
    // Small batches: more commits to be killed in.
    let mut host = Host::start_with(&database, &["--batch-events", "100"]).await;
    deploy_upcaster(&host).await;
    deploy_flights(&host).await;

    let events = week();
    let chunks: Vec<&[Value]> = events.chunks(events.len() / KILLS + 1).collect();
    for chunk in chunks {
        // Killed while it imports and projects; what was answered is in the log, what was not is sent again.
        let request = host.request(reqwest::Method::POST, "/v1/events").header("content-type", "application/x-ndjson");
        let import = tokio::spawn(request.body(week_ndjson(chunk)).send());
        tokio::time::sleep(Duration::from_millis(random.random_range(0..150))).await;
        host.kill();
        let answered = import.await.unwrap().is_ok_and(|response| response.status().is_success());
        host.restart().await;
        let again = host.import(week_ndjson(chunk)).await;
        assert!(again.status.is_success(), "{again:?}");
        if answered {
            assert_eq!(again.body["imported"], 0, "what was answered 201 is there");
        }
        // And once more while it only projects.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..100))).await;
        host.kill();
        host.restart().await;
    }
    assert_eq!(host.head().await, 18262);
    for (projection, table, columns, rows, fingerprint) in FLIGHT_TABLES {
        let found = fingerprint_of(&host, projection, table, columns, 18262).await;
        assert_eq!(found, (rows, fingerprint.to_owned()), "{table}, seed {seed}");
    }
}
