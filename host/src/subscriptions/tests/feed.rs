//! What feeds bring, whatever they read together.

use std::time::Duration;

use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::sync::watch;

use super::{EVENTS, category_at, line, log, type_at};
use crate::{
    event_log::{EventLog, Filter, NameFilter, Position},
    subscriptions::{BatchSize, FIRST_PIECE, SharedPieces, Wanted, follow},
};

/// What is wanted by who has to come to every piece.
fn wanted(after: Position, until: Option<Position>, filter: Filter, size: BatchSize) -> Wanted {
    let (passed_over_for, awaited) = (Duration::ZERO, watch::channel(Position(0)).1);
    Wanted { after, until, filter, size, first: FIRST_PIECE, passed_over_for, awaited }
}

/// The positions that a feed brings, up to the end of the log.
async fn positions(log: EventLog, wanted: Wanted, shared: &SharedPieces, batches: usize) -> (Vec<u64>, bool) {
    let mut feed = follow(log, wanted, Some(shared));
    let mut positions = Vec::new();
    for _ in 0..batches {
        let batch = feed.next(BatchSize { max_events: 5000, max_bytes: usize::MAX }).await.unwrap().unwrap();
        positions.extend(batch.events.iter().map(|event| event.position.0));
        if batch.at_head {
            return (positions, true);
        }
    }
    (positions, false)
}

fn names(of: &'static [&'static str]) -> impl Strategy<Value = NameFilter> {
    let some = prop::sample::subsequence(of, 1..of.len()).prop_map(NameFilter::only);
    prop_oneof![1 => Just(NameFilter::All), 2 => some]
}

/// Whatever builds want, wherever they begin, whichever of them end early, and however little is kept: each gets its own events, and each once.
#[tokio::test(flavor = "multi_thread")]
async fn each_feed_brings_its_own_events() {
    let test = log().await;
    let feed = (
        names(&["Even", "Fourth", "Rare", "Other"]),
        names(&["a", "b"]),
        0..EVENTS,
        prop_oneof![Just(usize::MAX), 0..6_usize],
    );
    // Most begin near each other.
    let feed = feed.prop_map(|(types, categories, after, batches)| {
        let after = if after.is_multiple_of(3) { after } else { after % 2000 };
        (Filter { types, categories, query: None }, after, batches)
    });
    let cases = (prop::collection::vec(feed, 1..8), prop_oneof![Just(0), 1..10_000_000_usize, Just(64 * 1024 * 1024)]);
    let runtime = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        TestRunner::new(ProptestConfig::with_cases(24)).run(&cases, |(feeds, max_bytes)| {
            let shared = SharedPieces::new(max_bytes);
            let feeds = feeds.into_iter().map(|(filter, after, batches)| {
                let expected = (after + 1..=EVENTS).filter(|position| {
                    filter.types.admits(type_at(*position)) && filter.categories.admits(category_at(*position))
                });
                let expected: Vec<u64> = expected.collect();
                let size = BatchSize { max_events: 4096, max_bytes: usize::MAX };
                let wanted = wanted(Position(after), None, filter, size);
                let (log, shared) = (test.log.clone(), shared.clone());
                tokio::spawn(async move { (positions(log, wanted, &shared, batches).await, expected) })
            });
            for result in runtime.block_on(join_all(feeds.collect::<Vec<_>>())) {
                let ((found, at_head), expected) = result.unwrap();
                let is_right = if at_head { found == expected } else { expected.starts_with(&found) };
                prop_assert!(is_right, "{} of {}, at the head: {at_head}", found.len(), expected.len());
            }
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_ends_at_the_position_of_a_barrier() {
    let test = log().await;
    let shared = SharedPieces::default();
    let wanted = |until| wanted(Position(0), until, Filter::default(), BatchSize::default());
    // This one reads beyond it.
    let other = positions(test.log.clone(), wanted(None), &shared, usize::MAX);
    let mut feed = follow(test.log.clone(), wanted(Some(Position(20_001))), Some(&shared));
    let bounded = async {
        let mut found = 0;
        loop {
            let batch = feed.next(BatchSize::default()).await.unwrap().unwrap();
            found += batch.events.len();
            if batch.to >= Position(20_001) {
                return (found, batch.to, batch.at_head);
            }
        }
    };
    let ((all, at_head), bounded) = tokio::join!(other, bounded);
    assert_eq!((all.len() as u64, at_head), (EVENTS, true));
    assert_eq!(bounded, (20_001, Position(20_001), false));
}

/// The end of the log may have moved since a piece was read that ended there.
#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_read_at_the_end_of_the_log_is_not_the_end_for_ever() {
    let test = log().await;
    let shared = SharedPieces::default();
    // Its feed has read the log to its end, and stays.
    let size = BatchSize::default();
    let wanted = || wanted(Position(0), None, Filter::default(), size);
    let mut early = follow(test.log.clone(), wanted(), Some(&shared));
    while !early.next(size).await.unwrap().unwrap().at_head {}
    test.log.import((EVENTS + 1..=EVENTS + 10).map(line).collect(), 1).await.unwrap();
    let (found, at_head) = positions(test.log.clone(), wanted(), &shared, usize::MAX).await;
    assert_eq!((found.len() as u64, at_head), (EVENTS + 10, true));
}
