//! Which event was the newest one at an instant.

use sqlx::PgPool;

use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, has_sqlstate, sqlstate::READ_ONLY_TRANSACTION, within},
};

/// Positions that one statement looks at. Ten million events are six statements.
const PROBES: u64 = 16;

/// The position of the newest event that was recorded at an instant or before it, 0 if there is none; and whether the instant has
/// [passed](end_at).
///
/// No event is stamped before the one before it, so each step leaves a sixteenth of the positions.
pub(in crate::event_log) async fn position_at(pool: &PgPool, at: PgTimestamp) -> Result<(Position, bool), sqlx::Error> {
    let (head, has_passed) = end_at(pool, at).await?;
    // The event at `low` is not later, and the one behind `high` is.
    let (mut low, mut high) = (0, head.0);
    while low < high {
        let probes = probes(low, high);
        // Not prepared: so Postgres opens the partitions that have these positions, and no other.
        let read = sqlx::query_scalar(
            "SELECT max(position) FROM gnomon.events WHERE position = ANY ($1) AND recorded_at <= $2",
        )
        .bind(&probes)
        .bind(at)
        .persistent(false);
        let found: Option<Position> = within(ANSWER_TIMEOUT, "the events of an instant", read.fetch_one(pool)).await?;
        let not_later = found.map_or(low, |Position(found)| found);
        let later = probes.iter().find(|probe| probe.0 > not_later);
        (low, high) = (not_later, later.map_or(high, |later| later.0 - 1));
    }
    Ok((Position(low), has_passed))
}

/// The head of the log, and whether an instant has passed: by the stamp of an event, or by the clock of Postgres, while nobody appends. Then no event will
/// be recorded at that instant or before it that is not there now.
///
/// An append has stamped its events before they are there. So where no later event is there, the head is locked for as long as the statement takes: that waits
/// for the append that is under way, as the next append would.
pub(in crate::event_log) async fn end_at(pool: &PgPool, at: PgTimestamp) -> Result<(Position, bool), sqlx::Error> {
    let read = async {
        let statement = "SELECT position, recorded_at > $1 FROM gnomon.head";
        let (head, is_earlier): (Position, bool) = sqlx::query_as(statement).bind(at).fetch_one(pool).await?;
        if is_earlier {
            return Ok((head, true));
        }
        let now = async |lock: &str| {
            let statement =
                format!("SELECT position, recorded_at > $1 OR clock_timestamp() > $1 FROM gnomon.head {lock}");
            sqlx::query_as(&statement).bind(at).fetch_one(pool).await
        };
        match now("FOR SHARE").await {
            // Nobody appends to a database that takes no writes.
            Err(error) if has_sqlstate(&error, READ_ONLY_TRANSACTION) => now("").await,
            locked => locked,
        }
    };
    within(ANSWER_TIMEOUT, "the head of the log", read).await
}

/// Positions behind `low` and up to `high`, with equal distances; the last is `high`.
fn probes(low: u64, high: u64) -> Vec<Position> {
    let count = PROBES.min(high - low);
    let step = (high - low).div_ceil(count);
    let mut probes: Vec<_> = (1..=count).map(|probe| Position((low + step * probe).min(high))).collect();
    probes.dedup();
    probes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{
            EventLog, EventLogSettings,
            tests::{event, stream},
        },
        postgres::{migrate, test_database::TestDatabase},
    };

    #[test]
    fn probes_are_in_order_and_end_at_the_end() {
        for (low, high) in [(0, 1), (0, 2), (3, 19), (3, 20), (3, 37), (0, 10_000_000)] {
            let probes = probes(low, high);
            assert!(probes[0].0 > low && probes.is_sorted() && probes.len() <= 16, "{low} {high} {probes:?}");
            assert_eq!(probes.last(), Some(&Position(high)));
            let widest = probes.iter().fold((low, 0), |(before, widest), at| (at.0, widest.max(at.0 - before))).1;
            assert!(widest <= (high - low).div_ceil(16).max(1), "{low} {high} {probes:?}");
        }
    }

    /// Many events of one stamp, few of another, and all instants at, between and beyond them.
    #[tokio::test]
    async fn the_newest_event_of_an_instant_is_the_last_one_that_is_not_later() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
        assert!(matches!(position_at(&pool, PgTimestamp(0)).await, Ok((Position(0), true))));
        let mut head = 0;
        for count in [1, 40, 1, 300, 2, 17] {
            log.import((0..count).map(|_| (stream("count-1"), event("Counted"))).collect(), 1).await.unwrap();
            head += count;
        }
        let stamps: Vec<PgTimestamp> = sqlx::query_scalar("SELECT recorded_at FROM gnomon.events ORDER BY position")
            .fetch_all(&pool)
            .await
            .unwrap();
        assert_eq!(stamps.len(), head);
        let mut distinct = stamps.clone();
        distinct.dedup();
        for at in distinct.into_iter().flat_map(|stamp| [stamp.0 - 1, stamp.0, stamp.0 + 1]) {
            let expected = stamps.iter().filter(|stamp| stamp.0 <= at).count();
            let (found, has_passed) = position_at(&pool, PgTimestamp(at)).await.unwrap();
            assert_eq!((found, has_passed), (Position(expected as u64), true), "{at}");
        }
        let in_an_hour = PgTimestamp(stamps[head - 1].0 + 3_600_000_000);
        assert_eq!(position_at(&pool, in_an_hour).await.unwrap(), (Position(head as u64), false));
    }

    /// An event that is stamped and not committed yet belongs to the instants from its stamp on.
    #[tokio::test]
    async fn an_append_that_is_under_way_is_waited_for() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
        log.import(vec![(stream("count-1"), event("Counted"))], 1).await.unwrap();
        let mut append = crate::postgres::begin(&pool).await.unwrap();
        let stamp: PgTimestamp = sqlx::query_scalar(
            "UPDATE gnomon.head SET position = position + 1, recorded_at = clock_timestamp() RETURNING recorded_at",
        )
        .fetch_one(&mut *append)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
             SELECT 2, 2, time, $1, gen_random_uuid(), schema_version, stream, type, data FROM gnomon.events",
        )
        .bind(stamp)
        .execute(&mut *append)
        .await
        .unwrap();
        let before = PgTimestamp(stamp.0 - 1_000_000_000);
        assert_eq!(
            position_at(&pool, before).await.unwrap(),
            (Position(0), true),
            "it is later, and waited for by none"
        );
        let asked = tokio::spawn({
            let pool = pool.clone();
            async move { position_at(&pool, stamp).await }
        });
        test_support::until("the question waits for the append", async || {
            let waits =
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            asked.is_finished() || sqlx::query_scalar::<_, i64>(waits).fetch_one(&pool).await.unwrap() > 0
        })
        .await;
        append.commit().await.unwrap();
        assert_eq!(asked.await.unwrap().unwrap(), (Position(2), true));
    }

    /// There the head cannot be locked, and nobody appends.
    #[tokio::test]
    async fn a_database_that_takes_no_writes_tells_as_well() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
        log.import(vec![(stream("count-1"), event("Counted"))], 1).await.unwrap();
        let options = database.connect_options().options([("default_transaction_read_only", "on")]);
        let read_only = PgPool::connect_with(options).await.unwrap();
        let now: PgTimestamp = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&read_only).await.unwrap();
        assert_eq!(position_at(&read_only, now).await.unwrap(), (Position(1), true));
        read_only.close().await;
    }
}
