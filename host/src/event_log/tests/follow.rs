use std::{pin::pin, time::Duration};

use futures_util::StreamExt;

use super::*;

/// How long a follower may take to receive an event.
const DEADLINE: Duration = Duration::from_secs(20);

/// Takes from a follower until it has seen an event of the type `Last`.
async fn until_last<S>(followed: S) -> Vec<String>
where
    S: futures_util::Stream<Item = Result<Vec<String>, FollowError>>,
{
    let mut followed = pin!(followed);
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "Last") {
        let batch = tokio::time::timeout(DEADLINE, followed.next()).await.expect("an event in time");
        seen.extend(batch.unwrap().unwrap());
    }
    seen
}

fn types(followed: Vec<Followed>) -> Vec<String> {
    followed
        .into_iter()
        .filter_map(|followed| match followed {
            Followed::Event(event) => Some(event.event_type.into()),
            Followed::Searched(_) => None,
        })
        .collect()
}

#[tokio::test]
async fn a_follower_receives_old_events_and_those_to_come_from_any_host() {
    let test = TestLog::open().await;
    let other = test.other_host().await;
    test.append("a-1", &["First"]).await;
    let followed = test.log.follow(Position(0), Filter::default()).map(|batch| batch.map(types));
    let appending = async {
        for number in 0..1200 {
            let log = if number % 2 == 0 { &other } else { &test.log };
            append(log, &format!("b-{}", number % 5), ExpectedVersion::Any, vec![event("Moved")]).await.unwrap();
        }
        append(&other, "a-1", ExpectedVersion::Any, vec![event("Last")]).await.unwrap();
    };
    let (seen, ()) = tokio::join!(until_last(followed), appending);
    assert_eq!(seen.len(), 1202);
    assert_eq!(seen[0], "First");
}

#[tokio::test]
async fn a_follower_of_rare_events_is_told_how_far_the_log_was_searched() {
    let test = TestLog::open().await;
    for _ in 0..5 {
        test.append("a-1", &["Moved"]).await;
    }
    let filter = Filter { types: NameFilter::only(["Last"]), ..Filter::default() };
    let mut followed = pin!(test.log.follow(Position(0), filter));
    let batch = tokio::time::timeout(DEADLINE, followed.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(batch.as_slice(), [Followed::Searched(Position(5))]), "{batch:?}");
    test.append("a-1", &["Last"]).await;
    let seen = until_last(followed.map(|batch| batch.map(types))).await;
    assert_eq!(seen, ["Last"]);
}

#[tokio::test]
async fn a_stream_can_be_followed_before_it_exists() {
    let test = TestLog::open().await;
    let followed = test.log.follow_stream(stream("a-1"), StreamVersion(0));
    let followed = followed.map(|batch| batch.map(|events| events.into_iter().map(|e| e.event_type.into()).collect()));
    let appending = async {
        test.append("b-1", &["Elsewhere"]).await;
        let many: Vec<&str> = std::iter::repeat_n("Moved", 900).collect();
        test.append("a-1", &many).await;
        test.append("a-1", &["Last"]).await;
    };
    let (seen, ()) = tokio::join!(until_last(followed), appending);
    assert_eq!(seen.len(), 901);
}
