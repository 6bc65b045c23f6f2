//! Two builds of a real module, at work on two hosts while events come in.

use serde_json::json;

use super::*;
use crate::projector::tests::{
    component::{bank, bank_again},
    host::Host,
};

#[tokio::test(flavor = "multi_thread")]
async fn builds_of_one_logic_are_identical_wherever_they_meet() {
    let database = TestDatabase::create().await;
    let one = Host::start(&database).await;
    let name = Identifier::new("bank").unwrap();
    for account in 0..20 {
        let data = json!({"owner": "Ada", "currency": "EUR"});
        one.append([(format!("account-{account}"), "AccountOpened", data)]).await;
    }
    let left = one.deploy(&name, bank(), Activate::Auto).await;
    one.caught_up(&name).await;
    let error = one.projector.compare(&name, None, None, CompareOptions::default()).await.unwrap_err();
    assert!(matches!(error, CompareError::NoOtherBuild { left: only, .. } if only == left), "{error}");

    let other = Host::start(&database).await;
    let right = other.deploy(&name, bank_again(), Activate::Manual).await;
    assert_ne!(left, right);
    other.caught_up(&name).await;

    let stop = CancellationToken::new();
    // Writers enough that commits of both builds are always under way.
    let steady = futures_util::future::join_all((0..8).map(async |writer| {
        let mut deposits = 0;
        while !stop.is_cancelled() {
            one.deposit((deposits + writer) % 20).await;
            deposits += 1;
        }
        deposits
    }));
    let compare = async {
        let mut positions = Vec::new();
        for turn in 0..40 {
            let host = if turn % 2 == 0 { &one } else { &other };
            let options = CompareOptions { patience: Duration::from_secs(60), ..CompareOptions::default() };
            let comparison = host.projector.compare(&name, None, None, options).await.unwrap();
            assert_eq!((comparison.left.build, comparison.right.build), (left, right));
            assert!(comparison.identical, "{}", serde_json::to_string(&comparison).unwrap());
            assert_eq!(comparison.tables[0].rows_left, Some(20));
            positions.push(comparison.position);
        }
        stop.cancel();
        positions
    };
    let (deposits, positions) = tokio::join!(steady, compare);
    let deposits: u64 = deposits.into_iter().sum();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(positions[0] < positions[positions.len() - 1], "both went on in between: {positions:?}");

    // Nobody was left at a meeting, nothing was lost or doubled, and what is there has one hash.
    one.caught_up(&name).await;
    let booked = |build: BuildId| format!("SELECT sum(transactions)::bigint FROM {}.accounts", build.schema());
    for build in [left, right] {
        let pool = &one.projector.shared.pool;
        let booked: i64 = sqlx::query_scalar(&booked(build)).fetch_one(pool).await.unwrap();
        assert_eq!(booked.unsigned_abs(), deposits);
    }
    let hashes = [left, right].map(|build| one.projector.content_hash(build));
    let [one_hash, other_hash] = futures_util::future::join_all(hashes).await.try_into().unwrap();
    let (one_hash, other_hash) = (one_hash.unwrap(), other_hash.unwrap());
    assert_eq!(one_hash.position.0, 20 + deposits);
    assert_eq!((one_hash.position, one_hash.hashes), (other_hash.position, other_hash.hashes));

    // A row that somebody changed is found.
    sqlx::query(&format!("UPDATE {}.accounts SET balance = -1 WHERE account = '7'", right.schema()))
        .execute(&one.projector.shared.pool)
        .await
        .unwrap();
    let comparison = one.projector.compare(&name, Some(right), Some(left), CompareOptions::default()).await.unwrap();
    assert!(!comparison.identical);
    one.projector.stop().await;
    other.projector.stop().await;
}
