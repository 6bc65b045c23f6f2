//! Which host works on which subscription.
//!
//! A lease consists of a holder, the time when it ends, and an epoch that each new holder raises. It keeps two hosts from doing
//! the same work. What keeps a host from writing without a lease is the epoch, which every commit checks in its own transaction:
//! a host that was frozen past the end of its lease, or cut off, cannot write any more, whatever it believes.
//!
//! Nothing here waits for the row of a subscription. Whoever has it locked is at work on it: a commit that lasts, whose host lives, or an
//! operation that may take the lease away. So one row that is held for long is the trouble of its own subscription only.
//!
//! Each host holds an advisory lock named by its key for as long as its session lives. So the death of a host is known at once,
//! and that a host hangs is known when its lease ends.

use std::{io, time::Duration};

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::id::SubscriptionId;
use crate::postgres::{connect_beside, within};

/// The first half of the advisory locks' names: `GNOM`.
pub(super) const PRESENCE: i32 = 0x474e_4f4d;

/// How long Postgres may take to answer the session that shows that a host is alive.
const PRESENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// A host's key: how leases name their holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostKey(pub(super) i32);

/// The right to work on a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) subscription: SubscriptionId,
    pub(crate) epoch: i64,
    /// How long it lasts unless it is renewed.
    pub(crate) duration: Duration,
}

/// There is no lease of this epoch any more: it was revoked, or another host has the subscription, or had it in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lease is lost")]
pub(crate) struct LeaseLost;

/// The session that shows the other hosts that this one is alive.
#[derive(Debug)]
pub(crate) struct Presence {
    connection: PgConnection,
}

impl HostKey {
    pub(crate) fn random() -> Self {
        // The first field of a version 4 UUID is 32 random bits.
        Self(i32::from_be_bytes(uuid::Uuid::new_v4().as_fields().0.to_be_bytes()))
    }
}

impl Presence {
    /// Opens a session that holds the lock named by the host's key. It does not wait for the lock: if a former session of this host has it
    /// still, because the network lost that session and Postgres has not noticed, that session is ended, and the next try succeeds.
    pub(crate) async fn show(pool: &PgPool, host: HostKey) -> Result<Self, sqlx::Error> {
        let mut connection = connect_beside(pool, &[]).await?;
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)").bind(PRESENCE).bind(host.0);
        let is_shown: bool =
            within(PRESENCE_TIMEOUT, "the lock that shows that this host lives", lock.fetch_one(&mut connection))
                .await?;
        if is_shown {
            return Ok(Self { connection });
        }
        let end = sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND classid::bigint = $1 AND objid::bigint = $2::bigint & 4294967295",
        )
        .bind(i64::from(PRESENCE))
        .bind(i64::from(host.0));
        within(PRESENCE_TIMEOUT, "the end of this host's former session", end.execute(&mut connection)).await?;
        let message = "a former session of this host still holds the lock that shows that it lives; it is ended";
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::ResourceBusy, message)))
    }

    /// Whether the session still lives.
    #[cfg(test)]
    pub(crate) async fn check(&mut self) -> Result<(), sqlx::Error> {
        sqlx::Connection::ping(&mut self.connection).await
    }

    /// The connection of the session, for short statements: each shows as well that the session still lives.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Takes the lease of a subscription if it is free: never held, given back, expired, or held by a host that died, or by this one, which
/// may ask only if it does not work on the subscription. A subscription whose row is locked is not free.
pub(crate) async fn acquire(
    connection: impl PgExecutor<'_>,
    host: HostKey,
    subscription: SubscriptionId,
    duration: Duration,
) -> Result<Option<Lease>, sqlx::Error> {
    // The shared lock on the holder's key is granted only if the holder's session, which has the exclusive one, is gone. It is
    // given back when the statement ends.
    let epoch: Option<i64> = sqlx::query_scalar(
        "WITH free AS (
             SELECT subscription FROM gnomon.subscriptions
             WHERE subscription = $1
               AND (lease_holder IS NULL OR lease_holder = $3 OR leased_until < clock_timestamp()
                    OR pg_try_advisory_xact_lock_shared($2, lease_holder))
             FOR NO KEY UPDATE SKIP LOCKED
         )
         UPDATE gnomon.subscriptions AS entry
         SET lease_epoch = lease_epoch + 1, lease_holder = $3, leased_until = clock_timestamp() + $4
         FROM free WHERE entry.subscription = free.subscription
         RETURNING lease_epoch",
    )
    .bind(subscription)
    .bind(PRESENCE)
    .bind(host.0)
    .bind(duration)
    .fetch_optional(connection)
    .await?;
    Ok(epoch.map(|epoch| Lease { subscription, epoch, duration }))
}

/// Prolongs leases. Returns the subscriptions whose leases are still held.
///
/// A row that is locked is left as it is, and its lease is held as long as no later epoch is committed. If what holds the row is a commit
/// under the lease, that prolongs it; see [`prolong`]. If it is an operation that takes the lease away, the next call sees that; until
/// then the worker believes that it has the lease, and its commit finds that it has not.
pub(crate) async fn renew(
    connection: impl PgExecutor<'_>,
    leases: &[Lease],
    duration: Duration,
) -> Result<Vec<SubscriptionId>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH lease AS (
             SELECT subscription, epoch FROM unnest($1::bigint[], $2::bigint[]) AS lease (subscription, epoch)
         ), unlocked AS (
             SELECT entry.subscription FROM lease
             JOIN gnomon.subscriptions AS entry
                  ON entry.subscription = lease.subscription AND entry.lease_epoch = lease.epoch
             FOR NO KEY UPDATE OF entry SKIP LOCKED
         ), prolonged AS (
             UPDATE gnomon.subscriptions AS entry SET leased_until = clock_timestamp() + $3
             FROM unlocked WHERE entry.subscription = unlocked.subscription
         )
         SELECT entry.subscription FROM lease
         JOIN gnomon.subscriptions AS entry
              ON entry.subscription = lease.subscription AND entry.lease_epoch = lease.epoch",
    )
    .bind(leases.iter().map(|lease| lease.subscription).collect::<Vec<_>>())
    .bind(leases.iter().map(|lease| lease.epoch).collect::<Vec<_>>())
    .bind(duration)
    .fetch_all(connection)
    .await
}

/// Prolongs a lease in a transaction that holds its row: for one that may have lasted so long that the lease has expired meanwhile.
pub(crate) async fn prolong(connection: &mut PgConnection, lease: Lease) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.subscriptions SET leased_until = clock_timestamp() + $3
         WHERE subscription = $1 AND lease_epoch = $2",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .bind(lease.duration)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a lease back, so that the next holder need not wait for its end. If the row is locked, the lease expires.
pub(crate) async fn release(connection: impl PgExecutor<'_>, lease: Lease) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH held AS (SELECT subscription FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2
                       FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE gnomon.subscriptions AS entry SET lease_holder = NULL, leased_until = NULL
         FROM held WHERE entry.subscription = held.subscription",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes leases away from their holders, in the order of the subscriptions' numbers. The rows stay locked until the transaction
/// ends, so no checkpoint moves in between.
pub(crate) async fn revoke(connection: &mut PgConnection, subscriptions: &[SubscriptionId]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH held AS (SELECT subscription FROM gnomon.subscriptions WHERE subscription = ANY($1)
                       ORDER BY subscription FOR NO KEY UPDATE)
         UPDATE gnomon.subscriptions AS entry
         SET lease_epoch = lease_epoch + 1, lease_holder = NULL, leased_until = NULL
         FROM held WHERE entry.subscription = held.subscription",
    )
    .bind(subscriptions)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{test_database::TestDatabase, test_proxy::SlowProxy};

    /// The network has lost the session of a host, and Postgres has not noticed: the lock is still held, by a session that nobody has.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_host_whose_session_fell_silent_shows_itself_again() {
        let database = TestDatabase::create().await;
        let proxy = SlowProxy::start(database.connect_options(), Duration::ZERO).await;
        let pool = PgPool::connect_lazy_with(proxy.through(&database.connect_options()));
        let host = HostKey::random();
        let first = Presence::show(&pool, host).await.unwrap();
        proxy.silence();
        drop(first);
        let refused = Presence::show(&pool, host).await.unwrap_err();
        assert!(refused.to_string().contains("a former session of this host"), "{refused}");
        test_support::until("the host shows itself", async || Presence::show(&pool, host).await.is_ok()).await;
    }
}
