use gnomon_values::Instant;

use super::*;

#[tokio::test]
async fn events_are_read_as_they_were_written_at_the_positions_of_the_answer() {
    let test = TestLog::open().await;
    test.append("a-1", &["Opened"]).await;
    let time = Instant::parse("2013-01-01T10:17:00.123456Z").unwrap();
    let written = NewEvent {
        time: Some(time),
        schema_version: SchemaVersion::try_from(3).unwrap(),
        data: json(r#"{ "b": 1.50,  "a": "\u00e9" }"#),
        metadata: Some(json("[1, 2]")),
        ..event_with_id(7, "Moved")
    };
    let appended = append(&test.log, "b-1", ExpectedVersion::NoStream, vec![event("Opened"), written]).await.unwrap();
    assert_eq!((appended.first_version.0, appended.last_version.0), (1, 2));
    assert_eq!((appended.first_position.0, appended.last_position.0), (2, 3));

    let page = test.log.read_stream(&stream("b-1"), None, 10, Direction::Forward).await.unwrap().unwrap();
    assert_eq!(page.version, StreamVersion(2));
    let read = &page.events[1];
    assert_eq!((read.position.0, read.version.0, read.id), (3, 2, Uuid::from_u128(7)));
    assert_eq!((read.event_type.as_str(), read.schema_version.get(), read.time), ("Moved", 3, time));
    assert_eq!(read.data.as_str(), r#"{ "b": 1.50,  "a": "\u00e9" }"#, "the writer's exact text");
    assert_eq!(read.metadata.as_ref().unwrap().as_str(), "[1, 2]");
    assert_eq!(page.events[0].time, page.events[0].recorded_at, "no time means now");
}

#[tokio::test]
async fn of_writers_that_expect_the_same_version_one_wins() {
    let test = TestLog::open().await;
    test.append("a-1", &["Opened"]).await;
    let tries =
        (0..20).map(|_| append(&test.log, "a-1", ExpectedVersion::Exact(StreamVersion(1)), vec![event("Moved")]));
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, AppendError::Conflict { current: StreamVersion(2), .. }), "{error}");
    }
    assert_eq!(test.all().await.len(), 2);
}

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_time() {
    let test = TestLog::open().await;
    let events = || vec![event_with_id(1, "Opened"), event_with_id(2, "Moved")];
    let first = append(&test.log, "a-1", ExpectedVersion::NoStream, events()).await.unwrap();
    test.append("a-1", &["Moved"]).await;
    let again = append(&test.log, "a-1", ExpectedVersion::NoStream, events()).await.unwrap();
    assert_eq!(again, Appended { repeated: true, ..first });

    let other = vec![NewEvent { data: json("1"), ..event_with_id(1, "Opened") }];
    let error = append(&test.log, "a-1", ExpectedVersion::Any, other).await.unwrap_err();
    assert!(matches!(error, AppendError::IdTaken { version: StreamVersion(1), .. }), "{error}");
    assert_eq!(test.all().await.len(), 3);
}

#[tokio::test]
async fn an_append_to_several_streams_is_all_or_nothing() {
    let test = TestLog::open().await;
    test.append("b-1", &["Opened"]).await;
    let both = |expected| {
        vec![
            Append { stream: stream("a-1"), expected: ExpectedVersion::Any, events: vec![event("Opened")] },
            Append { stream: stream("b-1"), expected, events: vec![event("Moved"), event("Moved")] },
        ]
    };
    assert!(test.log.append(both(ExpectedVersion::NoStream), None).await.is_err());
    assert_eq!(test.all().await.len(), 1);
    let appended = test.log.append(both(ExpectedVersion::Exact(StreamVersion(1))), None).await.unwrap();
    assert_eq!(appended[0].last_position.next(), appended[1].first_position);
    assert_eq!(test.log.read_stream(&stream("b-1"), None, 10, Direction::Forward).await.unwrap().unwrap().version.0, 3);
}

#[tokio::test]
async fn an_append_beyond_the_limits_is_refused() {
    let limits = Limits {
        max_event_bytes: 300,
        max_append_events: 2,
        max_stream_name_bytes: 5,
        max_event_type_bytes: 6,
        max_event_tags: 2,
        max_tag_bytes: 4,
        ..Limits::default()
    };
    let test = TestLog::open_with(EventLogSettings { limits, ..EventLogSettings::default() }).await;
    let refused = async |name: &str, events: Vec<NewEvent>| {
        append(&test.log, name, ExpectedVersion::Any, events).await.unwrap_err().to_string()
    };
    assert_eq!(refused("a-1", vec![]).await, "an append needs at least one event");
    assert_eq!(
        refused("a-1", vec![event("A"), event("A"), event("A")]).await,
        "events of the append: 3; the limit max_append_events is 2"
    );
    assert_eq!(
        refused("a-1234", vec![event("A")]).await,
        "bytes of the stream's name: 6; the limit max_stream_name_bytes is 5"
    );
    assert_eq!(
        refused("a-1", vec![event("Renamed")]).await,
        "bytes of the type of event 0 of stream `a-1`: 7; the limit max_event_type_bytes is 6"
    );
    let large = NewEvent { metadata: Some(json(&format!("\"{}\"", "x".repeat(297)))), ..event("A") };
    assert_eq!(
        refused("a-1", vec![event("A"), large]).await,
        "bytes of data and metadata of event 1 of stream `a-1`: 301; the limit max_event_bytes is 300"
    );
    assert_eq!(
        refused("a-1234", vec![tagged("A", &["a:1234"])]).await,
        "bytes of the stream's name, which is that of the first tag (give a stream, or put another tag first): 6; the limit \
         max_stream_name_bytes is 5"
    );
    assert_eq!(
        refused("a-1", vec![tagged("A", &["a", "b", "c"])]).await,
        "tags of event 0 of stream `a-1`: 3; the limit max_event_tags is 2"
    );
    assert_eq!(
        refused("a-1", vec![tagged("A", &["a", "b:456"])]).await,
        "bytes of a tag of event 0 of stream `a-1`: 5; the limit max_tag_bytes is 4"
    );
    assert_eq!(
        refused("a-1", vec![event_with_id(1, "A"), event_with_id(1, "A")]).await,
        format!("event id {} occurs twice in the append", Uuid::from_u128(1))
    );
    for (beyond, limit) in [(Instant::MIN.0 - 1, "the first instant"), (Instant::MAX.0 + 1, "the last instant")] {
        let timed = NewEvent { time: Some(Instant(beyond)), ..event("A") };
        let refused = refused("a-1", vec![timed]).await;
        assert!(refused.starts_with("event 0 of stream `a-1`: its time ") && refused.contains(limit), "{refused}");
    }
    let twice = |expected| {
        (0..2).map(move |_| Append { stream: stream("a-1"), expected, events: vec![event("A")] }).collect::<Vec<_>>()
    };
    let error = test.log.append(twice(ExpectedVersion::NoStream), None).await.unwrap_err().to_string();
    assert_eq!(error, "stream `a-1` occurs twice in the append with an expected version; put its events together");
    assert!(test.all().await.is_empty());
}

#[tokio::test]
async fn an_append_that_only_postgres_refuses_fails_alone() {
    let test = TestLog::open().await;
    test.append("a-1", &["Opened"]).await;
    sqlx::raw_sql(
        "CREATE FUNCTION gnomon.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no poison here'; END $$;
         CREATE TRIGGER refuse_poison BEFORE INSERT ON gnomon.events FOR EACH ROW WHEN (NEW.type = 'Poison')
         EXECUTE FUNCTION gnomon.refuse_poison()",
    )
    .execute(&test.pool)
    .await
    .unwrap();
    let tries = (0..20).map(|number| {
        let (log, name) = (&test.log, if number == 7 { "Poison" } else { "Moved" });
        async move { append(log, &format!("b-{number}"), ExpectedVersion::NoStream, vec![event(name)]).await }
    });
    let results = futures_util::future::join_all(tries).await;
    for (number, result) in results.iter().enumerate() {
        match result {
            Err(AppendError::Refused(reason)) if number == 7 => {
                assert!(reason.contains("no poison here"), "{reason}");
            }
            result => assert!(number != 7 && result.is_ok(), "{number}: {result:?}"),
        }
    }
    let positions: Vec<u64> = results.iter().flatten().map(|appended| appended.first_position.0).collect();
    assert_eq!(positions.len(), 19);
    assert_eq!(test.all().await.len(), 20);
}
