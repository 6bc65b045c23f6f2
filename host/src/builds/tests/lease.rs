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
