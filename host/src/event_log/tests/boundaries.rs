use futures_util::{StreamExt, future::join_all, stream};

use super::*;

const SEATS: u64 = 10_000;
const CONTENDERS: usize = 16;
/// Seats that are wanted at the same time. All who want one of them fit into the queues of the two hosts.
const AT_ONCE: usize = 64;

/// Ten thousand rooms have one seat left, and sixteen guests at two hosts want it, after all of them have seen that it is free.
#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_want_the_last_seat_one_gets_it() {
    let test = TestLog::open().await;
    let hosts = [test.log.clone(), test.other_host().await];
    for first in (0..SEATS).step_by(1000) {
        let rooms = (first..first + 1000).map(|seat| tagged("RoomOpened", &[&room(seat)])).collect();
        append(&test.log, "rooms", ExpectedVersion::Any, rooms).await.unwrap();
    }
    let contests = stream::iter(0..SEATS).map(|seat| tokio::spawn(contend(hosts.clone(), seat)));
    let winners: Vec<u64> = contests.buffer_unordered(AT_ONCE).map(Result::unwrap).collect().await;
    assert_eq!(winners.len() as u64, SEATS);

    let taken = Filter { types: NameFilter::Only(vec!["SeatTaken".to_owned()]), ..Filter::default() };
    let page = test.log.read(Direction::Forward, None, 100_000, &taken).await.unwrap();
    let mut taken: Vec<u64> = page.events.iter().map(|event| event.position.0).collect();
    let mut winners = winners;
    winners.sort_unstable();
    taken.sort_unstable();
    assert_eq!(taken, winners, "nobody else has a seat");
    assert_eq!(page.head, Position(2 * SEATS), "and nothing else was appended");
}

fn room(seat: u64) -> String {
    format!("room:{seat}")
}

/// One of the guests gets the seat, and all others are told which event was before theirs. Returns its position.
async fn contend(hosts: [EventLog; 2], seat: u64) -> u64 {
    let take = async |guest: usize| {
        // Half of them have read the whole log, the other half asks for the seat without having read any of it.
        let after = (guest % 4 < 2).then_some(Position(SEATS));
        let condition = AppendCondition { fail_if_events_match: query(&[(&["SeatTaken"], &[&room(seat)])]), after };
        let events = vec![tagged("SeatTaken", &[&room(seat), &format!("guest:{guest}")])];
        append_if(&hosts[guest % 2], "seats", ExpectedVersion::Any, events, Some(condition)).await
    };
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for result in join_all((0..CONTENDERS).map(take)).await {
        match result {
            Ok(appended) => won.push(appended.first_position.0),
            Err(AppendError::ConditionFailed { position, stream, event_type }) => {
                assert_eq!((stream.as_str(), event_type.as_str()), ("seats", "SeatTaken"));
                lost.push(position.0);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(won.len(), 1, "seat {seat}");
    assert_eq!(lost, vec![won[0]; CONTENDERS - 1], "seat {seat}");
    won[0]
}
