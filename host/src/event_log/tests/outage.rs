use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::postgres::test_proxy::SlowProxy;

/// Connections are cut again and again while writers append: every append is answered, and is in the log once.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_survives_the_loss_of_its_connection() {
    let test = TestLog::open().await;
    let log = test.log.clone();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let log = log.clone();
            tokio::spawn(async move {
                for number in 0..50_u64 {
                    let expected = if number == 0 {
                        ExpectedVersion::NoStream
                    } else {
                        ExpectedVersion::Exact(StreamVersion(number))
                    };
                    // Without ids of its own, and with an expected version: a doubled append would be a conflict here.
                    append(&log, &format!("w-{writer}"), expected, vec![event("Happened")]).await.unwrap();
                }
            })
        })
        .collect();
    let (mut cuts, mut head) = (0, log.head());
    while writers.iter().any(|writer| !writer.is_finished()) {
        // Each cut waits for progress, so that the writers come to an end.
        if tokio::time::timeout(Duration::from_secs(1), head.changed()).await.is_ok() {
            cuts += cut_connections(&test.pool).await;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(cuts > 0, "the test cut nothing");
    let all = test.all().await;
    assert_eq!(all.len(), 400);
    let positions = test.log.read(Direction::Forward, None, 1000, &Filter::default()).await.unwrap().events;
    assert!(positions.iter().zip(1..).all(|(event, position)| event.position.0 == position));
    assert_eq!(blocks::unnoted(&test.pool).await, 0);
}

/// Ends every other session in the database, and returns how many.
pub(super) async fn cut_connections(pool: &PgPool) -> usize {
    let cut = sqlx::query_scalar::<_, bool>(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .fetch_all(pool)
    .await;
    // The connection of this statement may be one that was cut the time before.
    cut.map_or(0, |cut| cut.len())
}

#[tokio::test]
async fn an_append_that_waits_too_long_fails() {
    let settings = EventLogSettings { append_timeout: Duration::from_millis(50), ..EventLogSettings::default() };
    let test = TestLog::open_with(settings).await;
    test.append("a-1", &["Opened"]).await;
    let mut other = crate::postgres::begin(&test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.head FOR UPDATE").execute(&mut *other).await.unwrap();
    let error = append(&test.log, "a-1", ExpectedVersion::Any, vec![event("Moved")]).await.unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}");
    other.rollback().await.unwrap();
    test.append("a-1", &["Moved"]).await;
    assert_eq!(test.all().await.len(), 2);
}

/// A connection that breaks before COMMIT was sent has committed nothing; one that breaks at COMMIT may have.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_lost_answer_to_commit_is_unknown() {
    for (timing, unknown) in [("", false), ("DEFERRABLE INITIALLY DEFERRED", true)] {
        let settings = EventLogSettings { append_timeout: Duration::from_millis(50), ..EventLogSettings::default() };
        let test = TestLog::open_with(settings).await;
        // It ends the session: at the statement, or at COMMIT.
        sqlx::raw_sql(&format!(
            "CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON gnomon.streams {timing} FOR EACH ROW EXECUTE FUNCTION public.die()"
        ))
        .execute(&test.pool)
        .await
        .unwrap();
        let error = append(&test.log, "a-1", ExpectedVersion::Any, vec![event("Opened")]).await.unwrap_err();
        match unknown {
            true => assert!(matches!(error, AppendError::Unknown(_)), "{error:?}"),
            false => assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_opens_the_connection_again() {
    let test = TestLog::open().await;
    test.log.check_appends().await.unwrap();
    cut_connections(&test.pool).await;
    test.log.check_appends().await.unwrap();
    test.append("a-1", &["Opened"]).await;
}

fn database_through(proxy: &SlowProxy, test: &TestLog) -> PgPool {
    PgPool::connect_lazy_with(proxy.through(&test.database.connect_options()))
}

/// As when a firewall forgets a connection: nobody hears that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_on_a_connection_that_falls_silent_is_tried_on_another_one() {
    let test = TestLog::open().await;
    let proxy = SlowProxy::start(test.database.connect_options(), Duration::ZERO).await;
    let settings = EventLogSettings { answer_timeout: Duration::from_millis(500), ..EventLogSettings::default() };
    let log = EventLog::open(database_through(&proxy, &test), settings).await.unwrap();
    append(&log, "a-1", ExpectedVersion::NoStream, vec![event("Opened")]).await.unwrap();
    proxy.silence();
    log.check_appends().await.unwrap();
    proxy.silence();
    append(&log, "a-1", ExpectedVersion::Exact(StreamVersion(1)), vec![event("Moved")]).await.unwrap();
    assert_eq!(test.all().await.len(), 2);
}

/// What another host holds while it is frozen: the lock of the head, in the middle of a COPY, which no timeout of Postgres ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_frozen_with_the_lock_is_ended() {
    let settings = EventLogSettings { end_stuck_after: Duration::from_millis(300), ..EventLogSettings::default() };
    let test = TestLog::open_with(settings).await;
    let frozen = test.database.connect_options().application_name("gnomon");
    let mut frozen = PgConnection::connect_with(&frozen).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM gnomon.head FOR UPDATE").execute(&mut frozen).await.unwrap();
    let mut copy = frozen.copy_in_raw("COPY gnomon.event_types FROM STDIN").await.unwrap();
    copy.send(&b"a\tA\n"[..]).await.unwrap();
    append(&test.log, "a-1", ExpectedVersion::NoStream, vec![event("Opened")]).await.unwrap();
    // When it wakes, it finds that it has committed nothing.
    assert!(copy.finish().await.is_err());
    assert_eq!(test.all().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_the_lock_is_named_and_not_ended() {
    let settings = EventLogSettings {
        append_timeout: Duration::from_secs(1),
        end_stuck_after: Duration::ZERO,
        ..EventLogSettings::default()
    };
    let test = TestLog::open_with(settings).await;
    let clerk = test.database.connect_options().application_name("a clerk");
    let mut clerk = PgConnection::connect_with(&clerk).await.unwrap();
    let held = sqlx::raw_sql("BEGIN; LOCK TABLE gnomon.head").execute(&mut clerk).await;
    held.unwrap();
    let error = append(&test.log, "a-1", ExpectedVersion::Any, vec![event("Opened")]).await.unwrap_err();
    let AppendError::Locked(holders) = &error else { panic!("{error:?}") };
    assert!(holders.contains("application a clerk, since ") && holders.contains("LOCK TABLE gnomon.head"), "{holders}");
    sqlx::raw_sql("COMMIT").execute(&mut clerk).await.unwrap();
    test.append("a-1", &["Opened"]).await;
}

/// Postgres' clock is set back: the stamps stay where they are.
#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_stamped_before_the_last_one() {
    let test = TestLog::open().await;
    test.append("a-1", &["Opened"]).await;
    sqlx::query("UPDATE gnomon.head SET recorded_at = clock_timestamp() + interval '1 hour'")
        .execute(&test.pool)
        .await
        .unwrap();
    let other = test.other_host().await;
    for number in 2..5 {
        let log = if number % 2 == 0 { &other } else { &test.log };
        append(log, "a-1", ExpectedVersion::Any, vec![event("Moved")]).await.unwrap();
    }
    let events = test.log.read(Direction::Forward, None, 10, &Filter::default()).await.unwrap().events;
    let stamps: Vec<_> = events.iter().map(|event| event.recorded_at).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert!(stamps[1].0 > stamps[0].0 + 3_500_000_000, "{stamps:?}");
    assert_eq!(events[1].time, events[1].recorded_at, "no time means the stamp");
}

/// The connection falls silent while Postgres commits: the host cannot know whether it has. It finds the event by its id, which the
/// client did not give.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_commit_is_not_answered_is_appended_once() {
    let test = TestLog::open().await;
    sqlx::raw_sql(
        "CREATE FUNCTION public.take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(4); RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON gnomon.streams DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION public.take_time()",
    )
    .execute(&test.pool)
    .await
    .unwrap();
    let proxy = SlowProxy::start(test.database.connect_options(), Duration::ZERO).await;
    let settings = EventLogSettings { answer_timeout: Duration::from_secs(2), ..EventLogSettings::default() };
    let log = EventLog::open(database_through(&proxy, &test), settings).await.unwrap();
    let appending = tokio::spawn(async move {
        append(&log, "a-1", ExpectedVersion::Exact(StreamVersion(0)), vec![event("Opened")]).await
    });
    test_support::until("Postgres commits", async || {
        let committing = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active' AND datname = current_database())";
        sqlx::query_scalar(committing).fetch_one(&test.pool).await.unwrap()
    })
    .await;
    proxy.silence();
    appending.await.unwrap().unwrap();
    assert_eq!(test.all().await, [("a-1".to_owned(), 1, "Opened".to_owned())]);
    assert_eq!(blocks::unnoted(&test.pool).await, 0);
}
