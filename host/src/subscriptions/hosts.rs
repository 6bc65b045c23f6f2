//! The hosts that are alive, so that they share the builds.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use super::lease::{HostKey, PRESENCE};

/// Records that a host is alive. Returns how many are: those whose session lives and that have recorded it within `lease`.
pub(crate) async fn heartbeat(
    connection: &mut PgConnection,
    host: HostKey,
    lease: Duration,
) -> Result<usize, sqlx::Error> {
    sqlx::query(
        "INSERT INTO gnomon.hosts (host, seen_at) VALUES ($1, clock_timestamp())
         ON CONFLICT (host) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(host.0)
    .execute(&mut *connection)
    .await?;
    // A host that died no longer holds the lock named by its key; one that hangs has not updated `seen_at`.
    let living: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM gnomon.hosts WHERE seen_at > clock_timestamp() - $2 AND EXISTS (
             SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND classid::bigint = $1 AND objid::bigint = host::bigint & 4294967295)",
    )
    .bind(i64::from(PRESENCE))
    .bind(lease)
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(living).unwrap_or_default().max(1))
}

/// How many hosts have recorded within a time that they live.
pub(crate) async fn living_hosts(pool: &PgPool, within: Duration) -> Result<u64, sqlx::Error> {
    let living: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.hosts WHERE seen_at > clock_timestamp() - $1")
        .bind(within)
        .fetch_one(pool)
        .await?;
    Ok(living.cast_unsigned())
}

/// Removes a host that stops.
pub(crate) async fn remove_host(pool: &PgPool, host: HostKey) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.hosts WHERE host = $1").bind(host.0).execute(pool).await?;
    Ok(())
}

/// Removes hosts that were alive more than an hour ago.
pub(crate) async fn remove_dead_hosts(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.hosts WHERE seen_at < clock_timestamp() - interval '1 hour'").execute(pool).await?;
    Ok(())
}
