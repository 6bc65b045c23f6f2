//! Several deployments of one projection at once.

use std::fs;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Said, modules::component, run};
use crate::support::{Host, until};

/// The module `tally` with other bytes: another version with the same code.
fn variant(folder: &TempDir, number: u8) -> String {
    let mut bytes = test_support::guest("tally");
    // A custom section: its number 0, its size, and its name preceded by the length of the name.
    bytes.extend_from_slice(&[0, 2, 1, b'0' + number]);
    let path = folder.path().join(format!("tally-{number}.wasm"));
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn deploy(host: &Host, path: &str) -> Said {
    Said::from(host.try_run(&["deploy", path, "--name", "tally"]).await)
}

/// One of the losers has caught up when it is superseded, and the other may be replaying. Both say the same, and fail.
#[tokio::test(flavor = "multi_thread")]
async fn of_three_deployments_at_once_one_wins_and_the_others_fail_in_the_same_way() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&database).await;
    host.append_one("count-1", "Counted", json!({"n": 5})).await;
    run(&host, &["deploy", &component(&folder, "tally")]).await;

    // A reader of the view holds every swap until all three are there.
    let pool = database.pool().await;
    let mut reader = gnomon::postgres::begin(&pool).await.unwrap();
    sqlx::query("LOCK TABLE read_models.tally_tallies IN ACCESS SHARE MODE").execute(&mut *reader).await.unwrap();
    let paths = [1, 2, 3].map(|number| variant(&folder, number));
    let others = async {
        host.until_state("tally", 2, "live").await;
        tokio::join!(deploy(&host, &paths[1]), deploy(&host, &paths[2]))
    };
    let release = async {
        until("all three are deployed", async || host.build("tally", 4).await["state"] != Value::Null).await;
        reader.rollback().await.unwrap();
    };
    let (one, (two, three), ()) = tokio::join!(deploy(&host, &paths[0]), others, release);

    host.until_state("tally", 4, "active").await;
    let (winners, losers): (Vec<_>, Vec<_>) = [one, two, three].into_iter().partition(|said| said.code == Some(0));
    assert_eq!((winners.len(), losers.len()), (1, 2), "{:?}", losers.iter().map(|said| &said.err).collect::<Vec<_>>());
    let err = &winners[0].err;
    assert!(err.contains("build 4 of `tally` is active at position 1"), "{err}");
    assert!(err.contains("it replaces build 1 (version 1); `gnomon activate tally 1` goes back to it"), "{err}");
    for said in losers {
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.contains("error: build ") && said.err.contains("was superseded: build "), "{}", said.err);
        assert!(said.err.contains(", which was begun after it, bec"), "{}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_that_is_deployed_again_names_the_newer_one_that_it_replaces() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&database).await;
    let first = component(&folder, "tally");
    run(&host, &["deploy", &first]).await;
    let second = run(&host, &["deploy", &component(&folder, "tally_next"), "--name", "tally"]).await;
    insta::assert_snapshot!(second.err, @r"
    uploaded projection `tally`, version 2
    build 2 of `tally` is active at position 0
    it replaces build 1 (version 1); `gnomon activate tally 1` goes back to it
    ");
    let again = run(&host, &["deploy", &first, "--json"]).await;
    insta::assert_snapshot!(again.err, @r"
    projection `tally` is unchanged: version 1 has the same bytes
    build 1 of `tally` is active at position 0
    it replaces build 2 (version 2), whose version is newer; `gnomon activate tally 2` goes back to it
    ");
    let answer: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(answer["replaces"], json!({"build": 2, "version": 2}));
}
