//! Append conditions.

use futures_util::future::join_all;

use super::*;
use crate::postgres::begin;

fn none_of(query: EventQuery, after: impl Into<Option<u64>>) -> Option<AppendCondition> {
    Some(AppendCondition { fail_if_events_match: query, after: after.into().map(Position) })
}

/// The position of the event that the condition rules out.
fn ruled_out(result: Result<Appended, AppendError>) -> u64 {
    match result {
        Err(AppendError::ConditionFailed { position, .. }) => position.0,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_append_fails_if_an_event_after_its_position_matches() {
    let test = TestLog::open().await;
    let take = async |tags: &[&str], condition| {
        append_if(&test.log, "a-1", ExpectedVersion::Any, vec![tagged("Taken", tags)], condition).await
    };
    let of_seat = || query(&[(&["Taken"], &["seat:1"])]);
    take(&["seat:1", "by:a"], none_of(of_seat(), None)).await.unwrap();
    take(&["seat:2", "by:a"], none_of(query(&[(&["Taken"], &["seat:2"])]), None)).await.unwrap();
    assert_eq!(ruled_out(take(&["seat:1"], none_of(of_seat(), None)).await), 1);
    assert_eq!(ruled_out(take(&["seat:1"], none_of(of_seat(), 0)).await), 1);
    take(&["seat:3"], none_of(of_seat(), 1)).await.unwrap();
    // The first of all items, whichever it is.
    let items = query(&[(&[], &["seat:3"]), (&["Taken"], &["by:a", "seat:2"]), (&["Other"], &["by:a"])]);
    assert_eq!(ruled_out(take(&["x"], none_of(items.clone(), None)).await), 2);
    assert_eq!(ruled_out(take(&["x"], none_of(items.clone(), 2)).await), 3);
    take(&["x"], none_of(items, 3)).await.unwrap();
    // By type alone, and any event.
    assert_eq!(ruled_out(take(&["x"], none_of(query(&[(&["Taken"], &[])]), 1)).await), 2);
    assert_eq!(ruled_out(take(&["x"], none_of(query(&[(&[], &[])]), 3)).await), 4);
    assert_eq!(test.all().await.len(), 4);
}

#[tokio::test]
async fn a_condition_is_decided_however_far_back_its_position_is() {
    let test = TestLog::open().await;
    append(&test.log, "a-1", ExpectedVersion::Any, vec![tagged("First", &["x"])]).await.unwrap();
    let others = (0..1000).map(|_| tagged("Other", &["y"]));
    append(&test.log, "a-1", ExpectedVersion::Any, others.collect()).await.unwrap();
    append(&test.log, "a-1", ExpectedVersion::Any, vec![tagged("Last", &["x"])]).await.unwrap();
    for query_of in [|name: &'static str| query(&[(&[name], &["x"])]), |name: &'static str| query(&[(&[name], &[])])] {
        let fails = async |name, after| {
            let condition = none_of(query_of(name), after);
            ruled_out(append_if(&test.log, "b-1", ExpectedVersion::Any, vec![event("B")], condition).await)
        };
        assert_eq!(
            (fails("First", None).await, fails("Last", None).await, fails("Last", Some(1001)).await),
            (1, 1002, 1002)
        );
        let condition = none_of(query_of("First"), 1);
        append_if(&test.log, "b-1", ExpectedVersion::Any, vec![event("B")], condition).await.unwrap();
    }
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_time_though_its_own_events_match() {
    let test = TestLog::open().await;
    let appended = async |id, after: Option<u64>| {
        let event = NewEvent { id, ..tagged("Taken", &["seat:1"]) };
        let condition = none_of(query(&[(&[], &["seat:1"])]), after);
        append_if(&test.log, "a-1", ExpectedVersion::Any, vec![event], condition).await
    };
    let given = EventId::Given(Uuid::from_u128(1));
    let first = appended(given, None).await.unwrap();
    // Near the head, and so far back that the condition is looked up before.
    for _ in 0..2 {
        assert_eq!(appended(given, None).await.unwrap(), Appended { repeated: true, ..first.clone() });
        assert_eq!(ruled_out(appended(EventId::Given(Uuid::from_u128(2)), None).await), 1);
        assert_eq!(ruled_out(appended(EventId::make(), None).await), 1);
        append(&test.log, "b-1", ExpectedVersion::Any, (0..200).map(|_| event("B")).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn a_condition_beyond_the_head_is_of_another_log() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    let condition = none_of(query(&[(&["B"], &[])]), 2);
    let error = append_if(&test.log, "a-1", ExpectedVersion::Any, vec![event("B")], condition).await.unwrap_err();
    assert!(matches!(error, AppendError::ConditionBeyondHead { after: Position(2), head: Position(1) }), "{error}");
    // Another host's append counts, whether or not this one has been notified of it.
    let other = test.other_host().await;
    append(&other, "a-1", ExpectedVersion::Any, vec![event("A")]).await.unwrap();
    let condition = none_of(query(&[(&["B"], &[])]), 2);
    append_if(&test.log, "a-1", ExpectedVersion::Any, vec![event("B")], condition).await.unwrap();
}

#[tokio::test]
async fn a_condition_holds_for_all_streams_of_an_append_and_beside_expected_versions() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    let both = |expected, after| {
        let appends = vec![
            Append { stream: stream("a-1"), expected, events: vec![event("A")] },
            Append { stream: stream("b-1"), expected: ExpectedVersion::Any, events: vec![event("B")] },
            // A stream may come again if nothing is expected of it.
            Append { stream: stream("a-1"), expected: ExpectedVersion::Any, events: vec![event("A")] },
        ];
        test.log.append(appends, none_of(query(&[(&["B"], &[])]), after))
    };
    let version = ExpectedVersion::Exact(StreamVersion(1));
    assert!(matches!(both(ExpectedVersion::NoStream, None).await, Err(AppendError::Conflict { .. })));
    let appended = both(version, None).await.unwrap();
    let versions: Vec<_> =
        appended.iter().map(|one| (one.stream.as_str(), one.first_version.0, one.first_position.0)).collect();
    assert_eq!(versions, [("a-1", 2, 2), ("b-1", 1, 3), ("a-1", 3, 4)]);
    assert!(matches!(
        both(ExpectedVersion::Any, Some(2)).await,
        Err(AppendError::ConditionFailed { position: Position(3), .. })
    ));
    assert_eq!(test.all().await.len(), 4);
}

#[tokio::test]
async fn queries_beyond_the_limits_are_refused() {
    let limits = Limits {
        max_query_items: 1,
        max_query_names: 2,
        max_tag_bytes: 4,
        max_event_type_bytes: 3,
        ..Limits::default()
    };
    let test = TestLog::open_with(EventLogSettings { limits, ..EventLogSettings::default() }).await;
    let refused = async |items: &[(&[&str], &[&str])]| {
        let condition = none_of(query(items), None);
        append_if(&test.log, "a-1", ExpectedVersion::Any, vec![event("A")], condition).await.unwrap_err().to_string()
    };
    assert_eq!(
        refused(&[(&["A"], &[]), (&["B"], &[])]).await,
        "items of the event query: 2; the limit max_query_items is 1"
    );
    assert_eq!(
        refused(&[(&["A", "B"], &["x"])]).await,
        "types and tags of the event query: 3; the limit max_query_names is 2"
    );
    assert_eq!(
        refused(&[(&["A"], &["12345"])]).await,
        "bytes of a tag of item 0 of the event query: 5; the limit max_tag_bytes is 4"
    );
    assert_eq!(
        refused(&[(&["ABCD"], &[])]).await,
        "bytes of the type of item 0 of the event query: 4; the limit max_event_type_bytes is 3"
    );
    assert!(test.all().await.is_empty());
}

#[tokio::test]
async fn what_was_looked_up_before_a_restore_does_not_count() {
    let test = TestLog::open().await;
    append(&test.log, "a-1", ExpectedVersion::Any, (0..200).map(|_| event("A")).collect()).await.unwrap();
    let head = test.log.read_head().await.unwrap().0;
    // A backup that is one event older is brought back, and the host does not know yet.
    restore::restore(&test, i64::try_from(head).unwrap() - 1).await;
    let claims = (0..32).map(|_| {
        let condition = none_of(query(&[(&["Claimed"], &["name:x"])]), None);
        append_if(&test.log, "b-1", ExpectedVersion::Any, vec![tagged("Claimed", &["name:x"])], condition)
    });
    let claimed = join_all(claims).await;
    assert_eq!(claimed.iter().filter(|claim| claim.is_ok()).count(), 1, "{claimed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_was_overtaken_by_many_events_is_looked_up_again() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    // The lock is held while the condition waits for it, and then another host appends more than is looked at under the lock.
    let mut holder = begin(&test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.head FOR UPDATE").execute(&mut *holder).await.unwrap();
    let waiting = tokio::spawn({
        let log = test.log.clone();
        async move {
            let condition = none_of(query(&[(&["Last"], &["x"])]), 1);
            append_if(&log, "b-1", ExpectedVersion::Any, vec![event("B")], condition).await
        }
    });
    let blocked =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(blocked).fetch_one(&test.pool).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql(
        "INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data, tags)
         SELECT 1 + number, number, now(), now(), gen_random_uuid(), 1, 'c-1', CASE number WHEN 5000 THEN 'Last' ELSE 'C' END, '{}', '{x}'
         FROM generate_series(1, 5000) AS number;
         INSERT INTO gnomon.event_tags SELECT 'x', 1 + number FROM generate_series(1, 5000) AS number;
         INSERT INTO gnomon.streams VALUES ('c-1', 5000, 5001);
         UPDATE gnomon.head SET position = 5001, recorded_at = now()",
    )
    .execute(&mut *holder)
    .await
    .unwrap();
    holder.commit().await.unwrap();
    assert_eq!(ruled_out(waiting.await.unwrap()), 5001);
}

#[tokio::test]
async fn a_repeat_has_its_answer_though_its_condition_cannot_be_looked_up() {
    let settings = EventLogSettings { append_timeout: Duration::from_millis(300), ..EventLogSettings::default() };
    let test = TestLog::open_with(settings).await;
    append(&test.log, "a-1", ExpectedVersion::Any, (0..200).map(|_| event("A")).collect()).await.unwrap();
    let append = async |id: u128, after: Option<u64>| {
        let event = NewEvent { tags: vec![Tag::new("x").unwrap()], ..event_with_id(id, "B") };
        append_if(&test.log, "b-1", ExpectedVersion::Any, vec![event], none_of(query(&[(&[], &["x"])]), after)).await
    };
    let first = append(1, None).await.unwrap();
    // No search ends any more.
    sqlx::raw_sql(
        "ALTER FUNCTION gnomon.tagged RENAME TO tagged_before;
         CREATE FUNCTION gnomon.tagged(text[], bigint, bigint, boolean, integer, integer)
             RETURNS TABLE (found_at bigint, is_match boolean) LANGUAGE sql AS $$ SELECT 1::bigint, true FROM pg_sleep(60) $$",
    )
    .execute(&test.pool)
    .await
    .unwrap();
    assert_eq!(append(1, None).await.unwrap(), Appended { repeated: true, ..first.clone() });
    assert_eq!(append(1, Some(1_000_000)).await.unwrap(), Appended { repeated: true, ..first });
    assert!(matches!(append(2, None).await, Err(AppendError::ConditionTimedOut)));
    assert!(matches!(append(2, Some(1_000_000)).await, Err(AppendError::ConditionBeyondHead { .. })));
}

#[tokio::test]
async fn conditions_with_as_many_names_as_they_may_have_are_decided_together() {
    let test = TestLog::open().await;
    let tags = |from: usize, count: usize| (from..from + count).map(|number| format!("t:{number}")).collect::<Vec<_>>();
    let borrowed = |tags: &[String]| tagged("A", &tags.iter().map(String::as_str).collect::<Vec<_>>());
    append(&test.log, "a-1", ExpectedVersion::Any, (0..64).map(|number| borrowed(&tags(number * 32, 32))).collect())
        .await
        .unwrap();
    let conditions = (0..40_usize).map(|number| {
        let items = tags(10_000 + number * 1000, 1000);
        let items = items.chunks(8).map(|tags| QueryItem {
            types: Vec::new(),
            tags: tags.iter().map(|tag| Tag::new(tag.as_str()).unwrap()).collect(),
        });
        let condition = none_of(EventQuery { items: items.collect() }, 0);
        append_if(&test.log, "b-1", ExpectedVersion::Any, vec![event("B")], condition)
    });
    assert!(join_all(conditions).await.iter().all(Result::is_ok));
}

/// Sixteen ask for each seat at the same time, on two hosts; many seats are asked for at once, so groups have requests for several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_who_want_one_seat_one_gets_it_ten_thousand_times() {
    const SEATS: usize = 10_000;
    const AT_ONCE: usize = 50;
    let test = TestLog::open().await;
    let other = test.other_host().await;
    for seats in (0..SEATS).collect::<Vec<_>>().chunks(AT_ONCE) {
        let asked_at = test.log.read_head().await.unwrap().0;
        let asks = (0..16).flat_map(|student| seats.iter().map(move |seat| (*seat, student))).map(|(seat, student)| {
            let log = if (seat + student) % 2 == 0 { test.log.clone() } else { other.clone() };
            async move {
                let (seat, student) = (format!("seat:{seat}"), format!("student:{student}"));
                let taken = tagged("SeatTaken", &[&seat, &student]);
                // What was read is a little old for some of them.
                let after = asked_at.saturating_sub(student.len() as u64 % 3);
                let condition = none_of(query(&[(&["SeatTaken"], &[&seat])]), after);
                let result = append_if(&log, "seats", ExpectedVersion::Any, vec![taken], condition).await;
                assert!(matches!(result, Ok(_) | Err(AppendError::ConditionFailed { .. })), "{result:?}");
                result.is_ok()
            }
        });
        let won = join_all(asks.map(tokio::spawn)).await;
        assert_eq!(won.into_iter().filter(|won| *won.as_ref().unwrap()).count(), seats.len());
    }
    let twice: Option<String> = sqlx::query_scalar(
        "SELECT tag FROM gnomon.event_tags WHERE tag LIKE 'seat:%' GROUP BY tag HAVING count(*) > 1 LIMIT 1",
    )
    .fetch_optional(&test.pool)
    .await
    .unwrap();
    assert_eq!(twice, None);
    assert_eq!(test.log.read_head().await.unwrap().0, SEATS as u64);
}
