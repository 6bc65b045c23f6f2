//! Who works on which build.
//!
//! A lease is a row's holder, its end, and an epoch that each new holder raises. It keeps two hosts from doing the same work;
//! what keeps them from doing harm is the epoch, which every commit of rows checks in its own transaction. A host that was
//! frozen past its lease, or cut off, cannot write any more, whatever it believes.
//!
//! Each host holds an advisory lock named by its key for as long as its session lives. So a host that died is known at once,
//! and one that hangs is known when its lease ends.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use super::build::BuildId;
use crate::event_log::Position;

/// The first half of the advisory locks' names: `GNOM`.
pub(super) const PRESENCE: i32 = 0x474e_4f4d;

/// A host's key: its name among the holders of leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub(super) struct HostKey(i32);

/// The right to work on a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) build: BuildId,
    pub(super) epoch: i64,
}

/// The session whose life shows that the host lives.
#[derive(Debug)]
pub(super) struct Presence {
    connection: PgConnection,
}

impl HostKey {
    pub(super) fn random() -> Self {
        // The first field of a version 4 UUID is 32 random bits.
        Self(i32::from_be_bytes(uuid::Uuid::new_v4().as_fields().0.to_be_bytes()))
    }
}

impl Presence {
    /// Shows that the host lives.
    pub(super) async fn show(pool: &PgPool, host: HostKey) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        sqlx::query("SELECT pg_advisory_lock($1, $2)").bind(PRESENCE).bind(host.0).execute(&mut connection).await?;
        Ok(Self { connection })
    }

    /// Whether the session still lives.
    pub(super) async fn check(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }
}

/// Takes the lease of a build that nobody holds: never held, given back, run out, or held by a host that died.
pub(super) async fn acquire(
    pool: &PgPool,
    host: HostKey,
    build: BuildId,
    duration: Duration,
) -> Result<Option<Lease>, sqlx::Error> {
    // A shared lock on the holder's name is granted when nobody holds it alone, that is when the holder's session is gone. It
    // is given back when the statement ends.
    let epoch: Option<i64> = sqlx::query_scalar(
        "UPDATE gnomon.build_progress
         SET lease_epoch = lease_epoch + 1, lease_holder = $3, leased_until = clock_timestamp() + $4
         WHERE build = $1
           AND (lease_holder IS NULL OR leased_until < clock_timestamp()
                OR pg_try_advisory_xact_lock_shared($2, lease_holder))
         RETURNING lease_epoch",
    )
    .bind(build.0)
    .bind(PRESENCE)
    .bind(host.0)
    .bind(duration)
    .fetch_optional(pool)
    .await?;
    Ok(epoch.map(|epoch| Lease { build, epoch }))
}

/// Prolongs leases; answers those that are still held.
pub(super) async fn renew(pool: &PgPool, leases: &[Lease], duration: Duration) -> Result<Vec<BuildId>, sqlx::Error> {
    // The rows are locked in one order, as everyone locks them: no two can wait for each other.
    let held: Vec<i64> = sqlx::query_scalar(
        "WITH mine AS (
             SELECT progress.build FROM unnest($1::bigint[], $2::bigint[]) AS lease (build, epoch)
             JOIN gnomon.build_progress AS progress
                  ON progress.build = lease.build AND progress.lease_epoch = lease.epoch
             ORDER BY progress.build FOR UPDATE OF progress
         )
         UPDATE gnomon.build_progress AS progress SET leased_until = clock_timestamp() + $3
         FROM mine WHERE progress.build = mine.build
         RETURNING progress.build",
    )
    .bind(leases.iter().map(|lease| lease.build.0).collect::<Vec<_>>())
    .bind(leases.iter().map(|lease| lease.epoch).collect::<Vec<_>>())
    .bind(duration)
    .fetch_all(pool)
    .await?;
    Ok(held.into_iter().map(BuildId).collect())
}

/// Gives a lease back, so that the next holder need not wait for its end.
pub(super) async fn release(pool: &PgPool, lease: Lease) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.build_progress SET lease_holder = NULL, leased_until = NULL
         WHERE build = $1 AND lease_epoch = $2",
    )
    .bind(lease.build.0)
    .bind(lease.epoch)
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes the leases of builds away from whoever holds them, in the order of their numbers.
pub(super) async fn take_away(connection: &mut PgConnection, builds: &[BuildId]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH held AS (SELECT build FROM gnomon.build_progress WHERE build = ANY($1) ORDER BY build FOR UPDATE)
         UPDATE gnomon.build_progress AS progress
         SET lease_epoch = lease_epoch + 1, lease_holder = NULL, leased_until = NULL
         FROM held WHERE progress.build = held.build",
    )
    .bind(builds.iter().map(|build| build.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The checkpoint of a build whose lease is held; none if it is not held any more.
pub(super) async fn checkpoint(pool: &PgPool, lease: Lease) -> Result<Option<Position>, sqlx::Error> {
    let checkpoint: Option<i64> =
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.build_progress WHERE build = $1 AND lease_epoch = $2")
            .bind(lease.build.0)
            .bind(lease.epoch)
            .fetch_optional(pool)
            .await?;
    Ok(checkpoint.map(Position::from_sql))
}
