//! Appends in one statement, while nobody else appends.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use super::*;
use crate::postgres::begin;

impl TestLog {
    /// Whether the last append of this database was one statement.
    pub(super) async fn was_one_statement(&self) -> bool {
        let last = "SELECT query LIKE 'WITH advanced%' FROM pg_stat_activity
             WHERE datname = current_database() AND (query LIKE 'WITH advanced%' OR query IN ('COMMIT', 'ROLLBACK'))
             ORDER BY query_start DESC LIMIT 1";
        sqlx::query_scalar(last).fetch_one(&self.pool).await.unwrap()
    }
}

async fn append_exact(log: &EventLog, name: &str, version: u64, tags: &[&str]) -> Result<Appended, AppendError> {
    append(log, name, ExpectedVersion::Exact(StreamVersion(version)), vec![tagged("Happened", tags)]).await
}

#[tokio::test]
async fn an_append_is_one_statement_once_the_head_is_known() {
    let test = TestLog::open().await;
    append_exact(&test.log, "a-1", 0, &[]).await.unwrap();
    assert!(!test.was_one_statement().await);
    // A new type, tags, a stream that is known and one that is not, a time of the client's, and several events.
    append_exact(&test.log, "a-1", 1, &["x:1", "y:1"]).await.unwrap();
    let given =
        NewEvent { time: Some(gnomon_values::Instant(5)), id: EventId::Given(Uuid::now_v7()), ..event("Given") };
    let two = vec![given.clone(), event("Opened")];
    let appended = append(&test.log, "b-1", ExpectedVersion::NoStream, two).await.unwrap();
    assert_eq!((appended.first_position, appended.last_position), (Position(3), Position(4)));
    assert!(test.was_one_statement().await);

    let page = test.log.read(Direction::Forward, None, 10, &Filter::default()).await.unwrap();
    let seen: Vec<_> = page
        .events
        .iter()
        .map(|event| (event.position.0, event.stream.as_str(), event.version.0, event.tags.len()))
        .collect();
    assert_eq!(seen, [(1, "a-1", 1, 0), (2, "a-1", 2, 2), (3, "b-1", 1, 0), (4, "b-1", 2, 0)]);
    assert_eq!(page.events[2].time, gnomon_values::Instant(5));
    assert_eq!(page.events[3].time, page.events[3].recorded_at);
    let types: Vec<(String, String)> = sqlx::query_as("SELECT category, type FROM gnomon.event_types ORDER BY 1, 2")
        .fetch_all(&test.pool)
        .await
        .unwrap();
    assert_eq!(types.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["Happened", "Given", "Opened"]);
    let tags: Vec<(String, i64)> =
        sqlx::query_as("SELECT tag, position FROM gnomon.event_tags ORDER BY 1").fetch_all(&test.pool).await.unwrap();
    assert_eq!(tags, [("x:1".to_owned(), 2), ("y:1".to_owned(), 2)]);
    // A repeat is found, and a conflict is one.
    let repeat = append(&test.log, "b-1", ExpectedVersion::Any, vec![given, event("Opened")]).await;
    assert!(matches!(repeat, Err(AppendError::PartlyRepeated { .. })), "{repeat:?}");
    let conflict = append_exact(&test.log, "b-1", 1, &[]).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { current: StreamVersion(2), .. }), "{conflict:?}");
    append_exact(&test.log, "b-1", 2, &[]).await.unwrap();
    assert!(test.was_one_statement().await);
}

/// Nothing is known of their streams, and several appends to them are decided together.
#[tokio::test]
async fn streams_that_are_not_known_have_their_versions() {
    let test = TestLog::open().await;
    for name in ["a-1", "a-1", "b-1", "c-1", "c-1", "c-1"] {
        test.append(name, &["Before"]).await;
    }
    // Another host knows the head after its first append, and no stream but that one.
    let other = test.other_host().await;
    append(&other, "z-1", ExpectedVersion::Any, vec![event("Before")]).await.unwrap();
    let to = |name, expected| append(&other, name, expected, vec![event("After"), event("After")]);
    let (any, exact) = (ExpectedVersion::Any, |version| ExpectedVersion::Exact(StreamVersion(version)));
    let id = EventId::Given(Uuid::now_v7());
    let with_id = |name| append(&other, "c-1", any, vec![NewEvent { id, ..event(name) }]);
    // The first is alone in its group, and the others come together in the next.
    let appends = futures_util::future::join_all([
        to("a-1", any),
        to("a-1", any),
        to("b-1", exact(1)),
        to("b-1", any),
        to("new-1", any),
        to("new-2", ExpectedVersion::NoStream),
        to("z-1", any),
    ]);
    let (results, first, second) = tokio::join!(appends, with_id("First"), with_id("Second"));
    let versions: Vec<_> = results.iter().map(|result| result.as_ref().unwrap().last_version.0).collect();
    assert_eq!(versions, [4, 6, 3, 5, 2, 2, 3]);
    assert_eq!(first.unwrap().last_version, StreamVersion(4));
    assert!(matches!(second, Err(AppendError::IdTaken { version: StreamVersion(4), .. })), "{second:?}");
    assert!(test.was_one_statement().await);
    // What a writer expects of a stream that is not known, and is wrong, is refused with the version that the stream has.
    test.append("d-1", &["Before"]).await;
    append(&other, "z-1", any, vec![event("After")]).await.unwrap();
    for version in [0, 2] {
        let wrong = to("d-1", exact(version)).await.unwrap_err();
        assert!(matches!(wrong, AppendError::Conflict { current: StreamVersion(1), .. }), "{wrong:?}");
    }
    assert_eq!(to("d-1", exact(1)).await.unwrap().first_version, StreamVersion(2));

    let stored: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "SELECT stream, streams.version, max(events.version), count(*) FROM gnomon.events JOIN gnomon.streams USING (stream)
         GROUP BY stream, streams.version ORDER BY stream",
    )
    .fetch_all(&test.pool)
    .await
    .unwrap();
    assert_eq!(stored.len(), 7);
    assert!(stored.iter().all(|(_, version, newest, count)| version == newest && newest == count), "{stored:?}");
}

/// What one host remembers of the log is never taken for what another has made of it.
#[tokio::test]
async fn hosts_that_take_turns_see_what_the_other_has_appended() {
    let test = TestLog::open().await;
    let other = test.other_host().await;
    let hosts = [&test.log, &other];
    let none = |tag: &str, after: u64| {
        Some(AppendCondition { fail_if_events_match: query(&[(&[], &[tag])]), after: Some(Position(after)) })
    };
    let mut version = 0;
    // Each has appended once or several times in a row before the other does.
    for (turn, times) in [1, 3, 1, 1, 4, 2, 2, 1, 1, 5].into_iter().enumerate() {
        let host = hosts[turn % 2];
        for _ in 0..times {
            let stale = append_exact(host, "a-1", version + 1, &[]).await.unwrap_err();
            assert!(matches!(stale, AppendError::Conflict { current, .. } if current.0 == version), "{stale:?}");
            let condition = none("x:1", version.saturating_sub(1));
            let matched = append_if(host, "a-1", ExpectedVersion::Any, vec![event("Happened")], condition).await;
            assert_eq!(matched.is_err(), version > 0, "{matched:?}");
            if matched.is_ok() {
                version += 1;
            }
            let exact = ExpectedVersion::Exact(StreamVersion(version));
            let events = vec![tagged("Happened", &["x:1"])];
            let appended = append_if(host, "a-1", exact, events, none("x:1", version)).await.unwrap();
            version += 1;
            assert_eq!((appended.last_version.0, appended.last_position.0), (version, version));
        }
    }
    assert_eq!(test.all().await.len(), usize::try_from(version).unwrap());
}

/// The same id is given to two hosts.
#[tokio::test]
async fn an_id_that_another_host_has_appended_is_a_repeat() {
    let test = TestLog::open().await;
    let other = test.other_host().await;
    for log in [&test.log, &test.log, &other, &test.log] {
        append(log, "a-1", ExpectedVersion::Any, vec![event("Happened")]).await.unwrap();
    }
    let given = NewEvent { id: EventId::Given(Uuid::now_v7()), ..event("Given") };
    let first = append(&other, "b-1", ExpectedVersion::Any, vec![given.clone()]).await.unwrap();
    for log in [&test.log, &other, &other] {
        let again = append(log, "b-1", ExpectedVersion::Any, vec![given.clone()]).await.unwrap();
        assert_eq!(again, Appended { repeated: true, ..first.clone() });
    }
}

/// A repeat would be refused if it were not one: its stream has gone on, and its own event matches its condition.
#[tokio::test]
async fn a_repeat_is_found_beside_appends_that_are_made() {
    let test = TestLog::open().await;
    append_exact(&test.log, "a-1", 0, &[]).await.unwrap();
    let given = NewEvent { id: EventId::Given(Uuid::now_v7()), ..tagged("Given", &["x:1"]) };
    let none = || Some(AppendCondition { fail_if_events_match: query(&[(&[], &["x:1"])]), after: Some(Position(1)) });
    let of_given = || append_if(&test.log, "b-1", ExpectedVersion::NoStream, vec![given.clone()], none());
    let first = of_given().await.unwrap();
    append_exact(&test.log, "b-1", 1, &[]).await.unwrap();
    assert!(test.was_one_statement().await);

    // The next append waits, and behind it the repeat and another one, which are decided together.
    let mut held = begin(&test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.head FOR UPDATE").execute(&mut *held).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let log = test.log.clone();
    let waiting = tokio::spawn(async move { append_exact(&log, "a-1", 1, &[]).await });
    test_support::until("the append waits for the lock", async || {
        let blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
        sqlx::query_scalar(blocked).fetch_one(&test.pool).await.unwrap()
    })
    .await;
    let (mut repeat, mut other) = (pin!(of_given()), pin!(append_exact(&test.log, "a-1", 2, &[])));
    assert!(repeat.as_mut().poll(&mut context).is_pending() && other.as_mut().poll(&mut context).is_pending());
    held.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(repeat.await.unwrap(), Appended { repeated: true, ..first });
    assert_eq!(other.await.unwrap().last_version, StreamVersion(3));
}
