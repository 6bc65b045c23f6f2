//! Tags, and reading by event queries.

use super::*;

impl TestLog {
    async fn append_events(&self, stream: &str, events: Vec<NewEvent>) {
        append(&self.log, stream, ExpectedVersion::Any, events).await.unwrap();
    }

    /// The positions that a query finds, page by page.
    async fn find(&self, direction: Direction, query: &EventQuery, page: usize) -> Vec<u64> {
        let filter = Filter { query: Some(query.clone()), ..Filter::default() };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.log.read(direction, after, page, &filter).await.unwrap();
            found.extend(page.events.into_iter().map(|event| event.position.0));
            match (direction, page.next) {
                (Direction::Forward, Some(next)) if next < page.head => after = Some(next),
                (Direction::Backward, Some(next)) => after = Some(next),
                _ => return found,
            }
        }
    }
}

fn names(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(Tag::as_str).collect()
}

#[tokio::test]
async fn tags_are_read_as_they_were_written_whichever_way_they_took() {
    let test = TestLog::open().await;
    let strange = ["a,b", "NULL", "{}", "\"", "\\", "é 😀", " ", "course:c1"];
    // Few events are inserted, many are copied; a small page is selected, a large one copied.
    for count in [1, 1200] {
        let events = (0..count).map(|number| match number % 2 {
            0 => tagged("Tagged", &strange),
            _ => event("Plain"),
        });
        for chunk in events.collect::<Vec<_>>().chunks(1000) {
            test.append_events(&format!("a-{count}"), chunk.to_vec()).await;
        }
    }
    let small = test.log.read(Direction::Forward, None, 2, &Filter::default()).await.unwrap();
    let large = test.log.read_batch(Position(0), 5000, &Filter::default()).await.unwrap();
    assert_eq!(large.events.len(), 1201);
    for event in small.events.iter().chain(&large.events) {
        let expected: &[&str] = if event.event_type.as_str() == "Tagged" { &strange } else { &[] };
        assert_eq!(names(&event.tags), expected);
    }
    let with_one = test.find(Direction::Forward, &query(&[(&[], &["{}"])]), 100).await;
    assert_eq!(with_one.len(), 601);
    let copied = Filter { query: Some(query(&[(&["Tagged"], &["\\", "a,b"]), (&["None"], &[])])), ..Filter::default() };
    assert_eq!(test.log.read_batch(Position(0), 5000, &copied).await.unwrap().events.len(), 601);
}

#[tokio::test]
async fn an_import_keeps_tags_and_a_repeat_has_the_same() {
    let test = TestLog::open().await;
    let line = |tags: &[&str]| {
        let id = EventId::Given(Uuid::from_u128(1));
        (stream("a-1"), NewEvent { id, ..tagged("A", tags) })
    };
    test.log.import(vec![line(&["x", "y"])], 1).await.unwrap();
    assert_eq!(test.log.import(vec![line(&["y", "x"])], 1).await.unwrap().repeated, 1, "tags have no order");
    for other in [&["x"][..], &["x", "y", "z"], &["x", "z"], &[]] {
        let error = test.log.import(vec![line(other)], 1).await.unwrap_err();
        assert!(matches!(error, AppendError::IdTaken { difference: "has other tags", .. }), "{error}");
    }
    assert_eq!(test.find(Direction::Forward, &query(&[(&[], &["x", "y"])]), 10).await, [1]);
}

#[tokio::test]
async fn a_page_says_how_far_the_log_was_searched() {
    let test = TestLog::open().await;
    for number in 1..=4 {
        test.append_events("a-1", vec![tagged("A", &["x", &format!("n:{number}")])]).await;
    }
    let read = async |direction, after: Option<u64>, query| {
        let filter = Filter { query: Some(query), ..Filter::default() };
        let page = test.log.read(direction, after.map(Position), 2, &filter).await.unwrap();
        let positions: Vec<u64> = page.events.iter().map(|event| event.position.0).collect();
        (positions, page.next.map(|next| next.0), page.head.0)
    };
    let x = || query(&[(&[], &["x"])]);
    assert_eq!(read(Direction::Forward, None, x()).await, (vec![1, 2], Some(2), 4));
    assert_eq!(read(Direction::Forward, Some(2), x()).await, (vec![3, 4], Some(4), 4));
    assert_eq!(read(Direction::Backward, None, x()).await, (vec![4, 3], Some(3), 4));
    assert_eq!(read(Direction::Backward, Some(3), x()).await, (vec![2, 1], None, 4));
    for nothing in
        [query(&[(&[], &["y"])]), query(&[(&["B"], &["x"])]), query(&[(&["B"], &[])]), query(&[(&[], &["x", "y"])])]
    {
        assert_eq!(read(Direction::Forward, Some(1), nothing.clone()).await, (vec![], Some(4), 4));
        assert_eq!(read(Direction::Backward, None, nothing).await, (vec![], None, 4));
    }
}

#[tokio::test]
async fn a_search_between_tags_that_never_meet_ends_early_and_goes_on() {
    let test = TestLog::open().await;
    let events = (0..30_000).map(|number| tagged("A", &[if number % 2 == 0 { "even" } else { "odd" }]));
    for chunk in events.collect::<Vec<_>>().chunks(1000) {
        test.append_events("a-1", chunk.to_vec()).await;
    }
    test.append_events("a-1", vec![tagged("A", &["odd", "even"])]).await;
    let both = query(&[(&[], &["even", "odd"])]);
    assert_eq!(test.find(Direction::Forward, &both, 10).await, [30_001]);
    assert_eq!(test.find(Direction::Backward, &both, 10).await, [30_001]);
    assert!(
        test.log
            .append(
                vec![Append { stream: stream("b-1"), expected: ExpectedVersion::Any, events: vec![event("B")] }],
                Some(AppendCondition { fail_if_events_match: both, after: None }),
            )
            .await
            .is_err()
    );
}

#[tokio::test]
async fn followers_get_what_matches_and_are_told_how_far_the_log_was_searched() {
    use futures_util::StreamExt;
    let test = TestLog::open().await;
    let filter = Filter { query: Some(query(&[(&[], &["x"]), (&["B"], &[])])), ..Filter::default() };
    let mut pages = std::pin::pin!(test.log.follow(Position(0), filter, |_| async {}));
    let mut next = async || {
        let (followed, ()) = pages.next().await.unwrap().unwrap();
        followed
            .into_iter()
            .map(|one| match one {
                Followed::Event(event) => format!("{} {:?}", event.position, names(&event.tags)),
                Followed::Searched(position) => format!("up to {position}"),
            })
            .collect::<Vec<_>>()
    };
    test.append_events("a-1", vec![tagged("A", &["x"]), event("B"), tagged("A", &["y"])]).await;
    assert_eq!(next().await, ["1 [\"x\"]", "2 []", "up to 3"]);
    test.append_events("a-1", vec![tagged("A", &["y"])]).await;
    assert_eq!(next().await, ["up to 4"]);
}

#[tokio::test]
async fn places_of_tags_cannot_be_changed() {
    let test = TestLog::open().await;
    test.append_events("a-1", vec![tagged("A", &["x"])]).await;
    for change in
        ["UPDATE gnomon.event_tags SET tag = 'y'", "DELETE FROM gnomon.event_tags", "TRUNCATE gnomon.event_tags"]
    {
        let error = sqlx::query(change).execute(&test.pool).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

/// Each call says where the next one goes on.
#[tokio::test]
async fn little_effort_finds_what_much_finds_in_more_calls() {
    let test = TestLog::open().await;
    let tags = |number: u64| {
        [("two", 2), ("three", 3), ("five", 5)]
            .into_iter()
            .filter(move |(_, of)| number.is_multiple_of(*of))
            .map(|(tag, _)| tag)
    };
    let events: Vec<NewEvent> = (1..=3000).map(|number| tagged("A", &tags(number).collect::<Vec<_>>())).collect();
    for chunk in events.chunks(1000) {
        test.append_events("a-1", chunk.to_vec()).await;
    }
    for (wanted, of) in [(&["two", "three"][..], 6), (&["five", "three", "two"], 30), (&["two", "none"], u64::MAX)] {
        for backward in [false, true] {
            for (effort, most) in [(1, 1000), (9, 7), (40, 1000), (40, 1), (100_000, 1000)] {
                let (mut low, mut high, mut found, mut calls) = (10_i64, 2990_i64, Vec::new(), 0);
                while low < high {
                    let rows: Vec<(i64, bool)> =
                        sqlx::query_as("SELECT found_at, is_match FROM gnomon.tagged($1, $2, $3, $4, $5, $6)")
                            .bind(wanted)
                            .bind(low)
                            .bind(high)
                            .bind(backward)
                            .bind(most)
                            .bind(effort)
                            .fetch_all(&test.pool)
                            .await
                            .unwrap();
                    calls += 1;
                    let matches: Vec<i64> = rows.iter().filter(|(_, is_match)| *is_match).map(|(at, _)| *at).collect();
                    let next = rows.iter().find(|(_, is_match)| !is_match).map(|(next, _)| *next);
                    let searched = match next {
                        _ if matches.len() >= usize::try_from(most).unwrap() => matches.last().copied(),
                        Some(next) if backward => Some(next + 1),
                        next => next.map(|next| next - 1),
                    };
                    match (searched, backward) {
                        (None, _) => low = high,
                        (Some(searched), false) => low = searched,
                        (Some(searched), true) => high = searched - 1,
                    }
                    found.extend(matches);
                }
                if backward {
                    found.reverse();
                }
                let expected: Vec<i64> =
                    (11..=2990).filter(|number| u64::try_from(*number).unwrap().is_multiple_of(of)).collect();
                assert_eq!(found, expected, "{wanted:?} backward {backward} effort {effort} most {most}");
                // Nobody has the tag `none`, so one look is enough.
                assert_eq!(calls > 1, of != u64::MAX && effort < 1000, "{calls} calls with effort {effort}");
            }
        }
    }
}

/// Random logs, queries and pages, beside a search of all events.
#[tokio::test]
async fn what_a_query_finds_is_what_matches() {
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
        strategy::ValueTree,
        test_runner::TestRunner,
    };
    const TYPES: [&str; 3] = ["A", "B", "C"];
    const TAGS: [&str; 4] = ["w", "x", "y", "z"];
    let mut runner = TestRunner::default();
    let tags = || btree_set(0..TAGS.len(), 0..4);
    let test = TestLog::open().await;
    let log = vec((0..TYPES.len(), tags()), 150).new_tree(&mut runner).unwrap().current();
    let of = |tags: &std::collections::BTreeSet<usize>| tags.iter().map(|tag| TAGS[*tag]).collect::<Vec<_>>();
    let events: Vec<NewEvent> = log.iter().map(|(name, tags)| tagged(TYPES[*name], &of(tags))).collect();
    for chunk in events.chunks(50) {
        test.append_events("a-1", chunk.to_vec()).await;
    }
    for _ in 0..60 {
        let items = vec((btree_set(0..TYPES.len(), 0..3), tags()), 1..4).new_tree(&mut runner).unwrap().current();
        let page = (1..40_usize).new_tree(&mut runner).unwrap().current();
        let named: Vec<(Vec<&str>, Vec<&str>)> =
            items.iter().map(|(types, tags)| (types.iter().map(|name| TYPES[*name]).collect(), of(tags))).collect();
        let borrowed: Vec<(&[&str], &[&str])> = named.iter().map(|(types, tags)| (&types[..], &tags[..])).collect();
        let query = query(&borrowed);
        let matching = (1..).zip(&events).filter(|(_, event)| query.matches(&event.event_type, &event.tags));
        let mut expected: Vec<u64> = matching.map(|(position, _)| position).collect();
        assert_eq!(test.find(Direction::Forward, &query, page).await, expected, "{named:?}");
        expected.reverse();
        assert_eq!(test.find(Direction::Backward, &query, page).await, expected, "{named:?}");
    }
}
