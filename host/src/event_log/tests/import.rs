use super::*;

fn lines(ids: std::ops::Range<u128>) -> Vec<Line> {
    ids.map(|id| (stream(&format!("s-{}", id % 7)), event_with_id(id, "Happened"))).collect()
}

#[tokio::test]
async fn an_import_passes_over_events_of_the_log() {
    let test = TestLog::open().await;
    let done = test.log.import(lines(0..300), 1).await.unwrap();
    assert_eq!((done.imported, done.repeated, done.last_position), (300, 0, Some(Position(300))));
    let done = test.log.import(lines(200..1000), 1).await.unwrap();
    assert_eq!((done.imported, done.repeated), (700, 100));
    assert_eq!((done.first_position, done.last_position), (Some(Position(301)), Some(Position(1000))));
    let done = test.log.import(lines(0..1000), 1).await.unwrap();
    assert_eq!(done, Imported { repeated: 1000, ..Imported::default() });

    let all = test.all().await;
    assert_eq!(all.len(), 1000);
    for number in 0..7 {
        let name = format!("s-{number}");
        let versions: Vec<u64> = all.iter().filter(|event| event.0 == name).map(|event| event.1).collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_line_that_contradicts_the_log_stops_the_chunk() {
    let test = TestLog::open().await;
    test.log.import(lines(0..10), 1).await.unwrap();
    let mut chunk = lines(10..400);
    chunk[5].1 = NewEvent { data: json("7"), ..event_with_id(3, "Happened") };
    let error = test.log.import(chunk, 1001).await.unwrap_err();
    assert!(matches!(error, AppendError::IdTaken { line: Some(1006), .. }), "{error:?}");
    assert_eq!(test.all().await.len(), 10);
}

#[tokio::test]
async fn the_error_of_an_event_names_its_line() {
    let limits = Limits { max_event_bytes: 10, ..Limits::default() };
    let test = TestLog::open_with(EventLogSettings { limits, ..EventLogSettings::default() }).await;
    let mut chunk = lines(0..3);
    chunk[2].1.data = json("\"0123456789\"");
    let error = test.log.import(chunk, 41).await.unwrap_err();
    assert_eq!(error.to_string(), "bytes of data and metadata of line 43: 12; the limit max_event_bytes is 10");
}
