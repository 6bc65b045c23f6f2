use gnomon_values::Instant;
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;

/// A log of 60 events in partitions of 8, in 3 categories and of 3 types.
async fn varied() -> TestLog {
    let test = TestLog::open_with(EventLogSettings { partition_events: 8, ..EventLogSettings::default() }).await;
    for number in 0..60_u64 {
        let name = format!("{}-{}", ["a", "b", "c"][number as usize % 3], number % 4);
        test.append(&name, &[["Opened", "Moved", "Closed"][(number * 7 % 11 % 3) as usize]]).await;
    }
    test
}

/// The positions of every page from one end to the other.
async fn pages(log: &EventLog, direction: Direction, filter: &Filter, limit: usize) -> Vec<u64> {
    let (mut positions, mut after) = (Vec::new(), None);
    loop {
        let page = log.read(direction, after, limit, filter).await.unwrap();
        assert!(page.events.len() <= limit);
        positions.extend(page.events.iter().map(|event| event.position.0));
        let done = page.next.is_none() || page.next == Some(page.head) && direction == Direction::Forward;
        if done {
            return positions;
        }
        after = page.next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_hold_exactly_the_events_that_the_filter_admits() {
    let test = varied().await;
    let everything = test.log.read(Direction::Forward, None, 1000, &Filter::default()).await.unwrap().events;
    assert_eq!(everything.iter().map(|event| event.position.0).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());

    let some_of = |items: &'static [&'static str]| {
        let only = prop::sample::subsequence(items, 0..=items.len()).prop_map(NameFilter::only);
        prop_oneof![1 => Just(NameFilter::All), 4 => only]
    };
    let filters = (some_of(&["Opened", "Moved", "Closed", "Never"]), some_of(&["a", "b", "c", "d"]));
    let runtime = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let result = tokio::task::block_in_place(|| {
        runner.run(&(filters, 1_usize..70), |((types, categories), limit)| {
            let expected: Vec<u64> = everything
                .iter()
                .filter(|event| types.admits(event.event_type.as_str()) && categories.admits(event.stream.category()))
                .map(|event| event.position.0)
                .collect();
            let filter = Filter { types, categories, query: None };
            let forward = runtime.block_on(pages(&test.log, Direction::Forward, &filter, limit));
            prop_assert_eq!(&forward, &expected);
            let mut backward = runtime.block_on(pages(&test.log, Direction::Backward, &filter, limit));
            backward.reverse();
            prop_assert_eq!(&backward, &expected);
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test]
async fn a_stream_is_read_both_ways() {
    let test = TestLog::open().await;
    test.append("a-1", &["A", "B", "C", "D", "E"]).await;
    test.append("a-2", &["X"]).await;
    let name = stream("a-1");
    let read = async |after: Option<u64>, limit, direction| {
        let page = test.log.read_stream(&name, after.map(StreamVersion), limit, direction).await.unwrap().unwrap();
        let types: String = page.events.iter().map(|event| event.event_type.as_str()).collect();
        (types, page.next.map(|next| next.0))
    };
    assert_eq!(read(None, 2, Direction::Forward).await, ("AB".to_owned(), Some(2)));
    assert_eq!(read(Some(2), 10, Direction::Forward).await, ("CDE".to_owned(), Some(5)));
    assert_eq!(read(Some(5), 10, Direction::Forward).await, (String::new(), Some(5)));
    assert_eq!(read(None, 2, Direction::Backward).await, ("ED".to_owned(), Some(4)));
    assert_eq!(read(Some(4), 10, Direction::Backward).await, ("CBA".to_owned(), None));
    assert!(test.log.read_stream(&stream("a-3"), None, 1, Direction::Forward).await.unwrap().is_none());
}

#[tokio::test]
async fn streams_are_listed_by_name_and_category() {
    let test = TestLog::open().await;
    for name in ["b", "a-2", "ab-1", "a-1", "a", "a.1", "A-1", "a-v1-54", "a,b-1", "a!", "-1"] {
        test.append(name, &["Opened", "Moved"]).await;
    }
    let names = async |categories: &[&str], after: &str, limit| {
        let categories = match categories {
            ["*"] => NameFilter::All,
            categories => NameFilter::only(categories.iter().copied()),
        };
        let streams = test.log.streams(&categories, after, limit).await.unwrap();
        assert!(streams.iter().all(|stream| stream.version == StreamVersion(2)));
        streams.into_iter().map(|stream| String::from(stream.stream)).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&["*"], "", 100).await,
        ["-1", "A-1", "a", "a!", "a,b-1", "a-1", "a-2", "a-v1-54", "a.1", "ab-1", "b"]
    );
    assert_eq!(names(&["a"], "", 100).await, ["a", "a-1", "a-2", "a-v1-54"]);
    assert_eq!(names(&["a"], "a-1", 100).await, ["a-2", "a-v1-54"]);
    assert_eq!(names(&["a,b"], "", 100).await, ["a,b-1"]);
    assert_eq!(names(&["b", "a", "b"], "a-2", 100).await, ["a-v1-54", "b"]);
    assert_eq!(names(&["b", "ab", "a"], "", 2).await, ["a", "a-1"]);
    assert_eq!(names(&["*"], "a", 2).await, ["a!", "a,b-1"]);
    assert_eq!(names(&[], "", 100).await, [""; 0]);
    // The list of streams and the filter of events agree about each of them.
    for category in ["a", "A", "ab", "b", "a,b", "a!", "a.1"] {
        let filter = Filter { categories: NameFilter::only([category]), ..Filter::default() };
        let page = test.log.read(Direction::Forward, None, 100, &filter).await.unwrap();
        let mut of_events: Vec<_> = page.events.into_iter().map(|event| String::from(event.stream)).collect();
        of_events.sort_unstable();
        of_events.dedup();
        assert_eq!(names(&[category], "", 100).await, of_events, "{category}");
    }
}

#[tokio::test]
async fn a_batch_holds_the_events_of_pages() {
    let test = TestLog::open().await;
    let name = |number: u64| ["plain", "it's", "back\\slash", "q\"uote"][number as usize % 4];
    let lines = (0..3000_u64).map(|number| {
        let event = NewEvent {
            time: Some(Instant(number as i64 * -1_234_567)),
            data: json(&format!("{{\"n\": {number}}}")),
            metadata: (number % 3 == 0).then(|| json("null")),
            ..event(name(number))
        };
        (stream(&format!("{}-1", name(number / 4))), event)
    });
    test.log.import(lines.collect(), 1).await.unwrap();
    let only = |numbers: &[u64]| NameFilter::only(numbers.iter().map(|number| name(*number)));
    for (types, categories, is_empty) in [
        (NameFilter::All, NameFilter::All, false),
        (only(&[0, 1]), NameFilter::All, false),
        (only(&[2]), only(&[2, 3]), false),
        (NameFilter::All, only(&[1]), false),
        (only(&[]), NameFilter::All, true),
        (NameFilter::All, only(&[]), true),
    ] {
        let filter = Filter { types, categories, query: None };
        for limit in [1000, 1999, 5000] {
            let batch = test.log.read_batch(Position(17), limit, &filter).await.unwrap();
            let page = test.log.read(Direction::Forward, Some(Position(17)), limit, &filter).await.unwrap();
            assert_eq!(page.events.is_empty(), is_empty);
            assert_eq!(format!("{:?}", batch.events), format!("{:?}", page.events));
            assert_eq!((batch.next, batch.head), (page.next, page.head));
        }
    }
}

/// Events of 10 kB after events of a few bytes, and the other way round.
#[tokio::test]
async fn a_page_ends_with_its_bytes_and_the_next_one_goes_on() {
    let test = TestLog::open().await;
    let sizes: Vec<usize> = (0..1500).map(|number| if number % 500 < 450 { 10 } else { 10_000 }).collect();
    let lines = sizes.iter().map(|bytes| {
        (stream("a-1"), NewEvent { data: json(&format!("\"{}\"", "x".repeat(*bytes))), ..event("Moved") })
    });
    test.log.import(lines.collect(), 1).await.unwrap();
    let size = PageSize { events: 1000, bytes: 50_000 };
    let check = |events: &[RecordedEvent]| {
        let bytes: usize = events.iter().map(RecordedEvent::bytes).sum();
        let without_last = bytes - events.last().map_or(0, RecordedEvent::bytes);
        assert!(events.len() <= 1000 && without_last < size.bytes, "{} events of {bytes} bytes", events.len());
    };
    let all: Vec<u64> = (1..=1500).collect();
    let (mut forward, mut after) = (Vec::new(), Position(0));
    while after < Position(1500) {
        let page = test.log.read(Direction::Forward, Some(after), size, &Filter::default()).await.unwrap();
        check(&page.events);
        forward.extend(page.events.iter().map(|event| event.position.0));
        after = page.next.unwrap();
    }
    assert_eq!(forward, all);
    let (mut backward, mut before) = (Vec::new(), None);
    loop {
        let page = test.log.read(Direction::Backward, before, size, &Filter::default()).await.unwrap();
        check(&page.events);
        backward.extend(page.events.iter().map(|event| event.position.0));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    backward.reverse();
    assert_eq!(backward, all);
    for direction in [Direction::Forward, Direction::Backward] {
        let (mut versions, mut after) = (Vec::new(), None);
        loop {
            let page = test.log.read_stream(&stream("a-1"), after, size, direction).await.unwrap().unwrap();
            check(&page.events);
            versions.extend(page.events.iter().map(|event| event.version.0));
            after = page.next;
            if after.is_none() || after == Some(StreamVersion(1500)) {
                break;
            }
        }
        versions.sort_unstable();
        assert_eq!(versions, all, "{direction:?}");
    }
    // The same by COPY.
    let (mut copied, mut after) = (Vec::new(), Position(0));
    let size = PageSize { events: 5000, ..size };
    while after < Position(1500) {
        let page = test.log.read_batch(after, size, &Filter::default()).await.unwrap();
        let bytes: usize = page.events.iter().map(RecordedEvent::bytes).sum();
        assert!(bytes < 2 * size.bytes, "{bytes}");
        copied.extend(page.events.iter().map(|event| event.position.0));
        after = page.next.unwrap();
    }
    assert_eq!(copied, all);
}
