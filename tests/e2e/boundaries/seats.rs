//! The last seat, wanted by many at once. A test of the log itself does the same ten thousand times.

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;

use super::decide::Hosts;

const SEATS: usize = 200;
const CONTENDERS: usize = 16;
/// Seats that are wanted at the same time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_want_the_last_seat_one_gets_it() {
    let hosts = Hosts::start().await;
    let rooms: Vec<_> =
        (0..SEATS).map(|seat| json!({"type": "RoomOpened", "data": {}, "tags": [format!("room:{seat}")]})).collect();
    let head = hosts.next().append_events("rooms", &json!(rooms)).await;
    let contend = async |seat: usize| {
        let query = json!({"items": [{"types": ["SeatTaken"], "tags": [format!("room:{seat}")]}]});
        let take =
            |guest: usize| json!({"type": "SeatTaken", "data": {"guest": guest}, "tags": [format!("room:{seat}")]});
        let wishes = (0..CONTENDERS).map(async |guest| hosts.append(&[take(guest)], &query, head).await);
        join_all(wishes).await.into_iter().filter(|won| *won).count()
    };
    let winners: Vec<usize> = stream::iter(0..SEATS).map(contend).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(winners, [1; SEATS]);
    assert_eq!(hosts.log().await.len(), 2 * SEATS);
}
