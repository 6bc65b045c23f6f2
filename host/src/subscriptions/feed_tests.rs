use super::*;
use crate::{
    event_log::{
        Append, EventLogSettings, ExpectedVersion, NameFilter,
        tests::{event, stream},
    },
    postgres::{migrate, test_database::TestDatabase},
};

const LONG: Duration = Duration::from_secs(3600);

/// A feed of one type of events.
fn follow_wanted(log: &EventLog, until: Option<Position>, awaited: watch::Receiver<Position>) -> Feed {
    let filter = Filter { types: NameFilter::only(["Wanted"]), ..Filter::default() };
    let size = BatchSize::default();
    let wanted = Wanted { after: Position(0), until, filter, size, first: FIRST_PIECE, passed_over_for: LONG, awaited };
    follow(log.clone(), wanted, None)
}

/// The events of the next piece, and its end.
async fn next(feed: &mut Feed) -> (usize, u64) {
    let piece = tokio::time::timeout(Duration::from_secs(60), feed.pieces.recv()).await.expect("a piece");
    let piece = piece.unwrap().unwrap();
    (piece.events.len(), piece.to.0)
}

#[tokio::test]
async fn events_that_mean_nothing_are_passed_over_until_one_means_something_or_somebody_waits() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    let log = EventLog::open(pool, EventLogSettings::default()).await.unwrap();
    let append = async |event_type: &str| {
        let append = Append { stream: stream("a-1"), expected: ExpectedVersion::Any, events: vec![event(event_type)] };
        log.append(vec![append], None).await.unwrap();
    };
    let (awaited, waits_for) = watch::channel(Position(0));
    let mut feed = follow_wanted(&log, None, waits_for);
    assert_eq!(next(&mut feed).await, (0, 0));
    append("Other").await;
    assert_eq!(next(&mut feed).await, (0, 1), "it is not allowed to pass over it");

    feed.pass_over(true);
    append("Other").await;
    append("Other").await;
    append("Wanted").await;
    assert_eq!(next(&mut feed).await, (1, 4));
    append("Other").await;
    awaited.send_replace(Position(5));
    assert_eq!(next(&mut feed).await, (0, 5));
    append("Other").await;
    feed.pass_over(false);
    assert_eq!(next(&mut feed).await, (0, 6));
}

#[tokio::test]
async fn a_feed_up_to_a_barrier_passes_over_nothing() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    let log = EventLog::open(pool, EventLogSettings::default()).await.unwrap();
    let (_awaited, waits_for) = watch::channel(Position(0));
    let mut feed = follow_wanted(&log, Some(Position(1)), waits_for);
    feed.pass_over(true);
    assert_eq!(next(&mut feed).await, (0, 0));
    let events = vec![event("Other"), event("Other")];
    log.append(vec![Append { stream: stream("a-1"), expected: ExpectedVersion::Any, events }], None).await.unwrap();
    assert_eq!(next(&mut feed).await, (0, 1));
}
