//! Two builds of a real module, folded by two hosts while events are appended.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    component::{bank, bank_with_other_bytes},
    *,
};
use crate::{
    builds::{Build, tables},
    read_model::content_hash,
};

const OPTIONS: CompareOptions = CompareOptions { samples: 5, timeout: Duration::from_secs(10) };

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_with_the_same_code_give_identical_builds_at_each_position() {
    let database = TestDatabase::create().await;
    let one = TestHost::start(&database).await;
    let name = Identifier::new("bank").unwrap();
    for account in 0..20 {
        let data = json!({"owner": "Ada", "currency": "EUR"});
        one.append([(format!("account-{account}"), "AccountOpened", data)]).await;
    }
    let left = one.deploy(&name, bank(), Activation::Auto).await;
    one.caught_up(&name).await;
    let error = one.operations.compare(&name, None, None, OPTIONS).await.unwrap_err();
    assert!(matches!(error, CompareError::NoOtherBuild { left: only, .. } if only == left.number), "{error}");

    let other = TestHost::start(&database).await;
    let right = other.deploy(&name, bank_with_other_bytes(), Activation::Manual).await;
    assert_ne!(left.number, right.number);
    other.caught_up(&name).await;

    let stop = CancellationToken::new();
    // Enough writers that both builds commit all the time.
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
            let options = CompareOptions { timeout: Duration::from_secs(60), ..OPTIONS };
            let comparison = host.operations.compare(&name, None, None, options).await.unwrap();
            assert_eq!((comparison.left.build, comparison.right.build), (left.number, right.number));
            assert!(comparison.identical, "{}", format!("{comparison:?}"));
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

    // No build was left at a barrier, no event was lost or folded twice, and both builds have one hash.
    one.caught_up(&name).await;
    let booked = |build: &Build| format!("SELECT sum(transactions)::bigint FROM {}.accounts", build.id.schema());
    for build in [&left, &right] {
        let pool = &one.database.lookups;
        let booked: i64 = sqlx::query_scalar(&booked(build)).fetch_one(pool).await.unwrap();
        assert_eq!(booked.unsigned_abs(), deposits);
    }
    let hash = async |build: &Build| {
        let mut connection = one.database.lookups.acquire().await.unwrap();
        let tables = tables(&mut *connection, build).await.unwrap();
        content_hash(&mut connection, &tables).await.unwrap()
    };
    assert_eq!(hash(&left).await, hash(&right).await);

    // A row that was changed directly in Postgres is found.
    sqlx::query(&format!("UPDATE {}.accounts SET balance = -1 WHERE account = '7'", right.id.schema()))
        .execute(&one.database.lookups)
        .await
        .unwrap();
    let comparison = one.operations.compare(&name, Some(right.number), Some(left.number), OPTIONS).await.unwrap();
    assert!(!comparison.identical);
    one.projector.stop().await;
    other.projector.stop().await;
}
