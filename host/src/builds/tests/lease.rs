use sqlx::{Connection, PgConnection};

use super::*;
use crate::subscriptions::{HoldError, Presence, checkpoint, release, renew};

#[tokio::test]
async fn a_build_has_one_holder_at_a_time() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let build = build.subscription();
    let (one, other) = (HostKey::random(), HostKey::random());
    let _living = Presence::show(&test.pool, one).await.unwrap();

    let lease = acquire(&test.pool, one, build, LEASE).await.unwrap().unwrap();
    assert_eq!(acquire(&test.pool, other, build, LEASE).await.unwrap(), None);
    assert_eq!(renew(&test.pool, &[lease], LEASE).await.unwrap(), [build]);

    release(&test.pool, lease).await.unwrap();
    let next = acquire(&test.pool, other, build, LEASE).await.unwrap().unwrap();
    assert_eq!(next.epoch, lease.epoch + 1);
    assert_eq!(renew(&test.pool, &[lease], LEASE).await.unwrap(), []);
    let lost = checkpoint(&test.pool, lease).await;
    assert!(matches!(lost, Err(HoldError::LeaseLost(_))), "the old lease reads nothing: {lost:?}");
    release(&test.pool, lease).await.unwrap();
    assert_eq!(renew(&test.pool, &[next], LEASE).await.unwrap(), [build], "the old lease gives nothing back");
}

#[tokio::test]
async fn a_host_that_died_is_known_at_once() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let build = build.subscription();
    let dead = HostKey::random();
    let presence = Presence::show(&test.pool, dead).await.unwrap();
    acquire(&test.pool, dead, build, LEASE).await.unwrap().unwrap();
    assert_eq!(acquire(&test.pool, HostKey::random(), build, LEASE).await.unwrap(), None);

    drop(presence);
    // The session ends soon after its client closed the connection.
    test_support::until("the lease of the dead host is free", async || {
        acquire(&test.pool, HostKey::random(), build, LEASE).await.unwrap().is_some()
    })
    .await;
}

#[tokio::test]
async fn a_host_that_hangs_loses_its_lease_in_time() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let build = build.subscription();
    let hanging = HostKey::random();
    let mut presence = Presence::show(&test.pool, hanging).await.unwrap();
    acquire(&test.pool, hanging, build, Duration::ZERO).await.unwrap().unwrap();
    assert!(acquire(&test.pool, HostKey::random(), build, LEASE).await.unwrap().is_some());
    presence.check().await.unwrap();
}

#[tokio::test]
async fn only_one_of_several_hosts_that_acquire_a_lease_at_once_gets_it() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let build = build.subscription();
    let mut living = Vec::new();
    let mut tries = Vec::new();
    for _ in 0..8 {
        let host = HostKey::random();
        living.push(Presence::show(&test.pool, host).await.unwrap());
        // Another connection for each, so that none waits for the pool.
        let mut connection = PgConnection::connect_with(&test.database.connect_options()).await.unwrap();
        connection.ping().await.unwrap();
        tries.push(acquire(&test.pool, host, build, LEASE));
    }
    let taken = futures_util::future::join_all(tries).await;
    assert_eq!(taken.iter().filter(|lease| lease.as_ref().unwrap().is_some()).count(), 1);
}

/// A session of somebody else, with its own transaction.
async fn session(test: &TestBuilds, sql: &str) -> PgConnection {
    let options = test.database.connect_options().application_name("somebody");
    let mut session = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(&format!("BEGIN; {sql}")).execute(&mut session).await.unwrap();
    session
}

/// As while a commit of the holder lasts: `renew` waited for it, and all leases of the host expired; `acquire` of the other hosts waited
/// for it, and no build began.
#[tokio::test]
async fn nobody_waits_for_a_row_that_is_locked() {
    let test = TestBuilds::create().await;
    let (busy, _) = test.build(1, &["n"]).await;
    let (other, _) = test.build(1, &["n"]).await;
    let [busy, other] = [busy, other].map(BuildId::subscription);
    let holder = HostKey::random();
    let _living = Presence::show(&test.pool, holder).await.unwrap();
    let mut leases = Vec::new();
    for subscription in [busy, other] {
        leases.push(acquire(&test.pool, holder, subscription, Duration::from_millis(1)).await.unwrap().unwrap());
    }
    let mut session = session(&test, "UPDATE gnomon.subscriptions SET checkpoint = 1 WHERE subscription = 1").await;

    let work = async {
        let mut held = renew(&test.pool, &leases, LEASE).await.unwrap();
        held.sort_unstable();
        assert_eq!(held, [busy, other], "the holder of a locked row lives");
        let lasts: Vec<bool> = sqlx::query_scalar(
            "SELECT leased_until > clock_timestamp() + interval '30 s' FROM gnomon.subscriptions ORDER BY subscription",
        )
        .fetch_all(&test.pool)
        .await
        .unwrap();
        assert_eq!(lasts, [false, true]);
        assert_eq!(acquire(&test.pool, HostKey::random(), busy, LEASE).await.unwrap(), None, "though it has expired");
        release(&test.pool, leases[0]).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("nobody waits");

    // A lease that an operation takes away is lost when that is committed.
    sqlx::raw_sql("UPDATE gnomon.subscriptions SET lease_epoch = lease_epoch + 1 WHERE subscription = 1; COMMIT")
        .execute(&mut session)
        .await
        .unwrap();
    assert_eq!(renew(&test.pool, &leases, LEASE).await.unwrap(), [other]);
}

#[tokio::test]
async fn a_host_takes_its_own_lease_again_if_it_works_no_more() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let host = HostKey::random();
    let _living = Presence::show(&test.pool, host).await.unwrap();
    let lost = acquire(&test.pool, host, build.subscription(), LEASE).await.unwrap().unwrap();
    let again = acquire(&test.pool, host, build.subscription(), LEASE).await.unwrap().unwrap();
    assert_eq!(again.epoch, lost.epoch + 1);
}
