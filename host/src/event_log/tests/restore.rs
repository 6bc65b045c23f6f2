//! A database that is restored under a host that runs.

use std::{future::ready, pin::pin, time::Duration};

use futures_util::StreamExt;

use super::*;
use crate::event_log::FollowError;

const DEADLINE: Duration = Duration::from_secs(20);

/// Brings the log back to when it had only its first `events` events, as a restore does.
pub(super) async fn restore(test: &TestLog, events: i64) {
    let admin = test.database.admin_pool().await;
    // Triggers refuse to take events away.
    let statements = format!(
        "SET session_replication_role = replica; DELETE FROM gnomon.events WHERE position > {events};
         UPDATE gnomon.head SET position = {events};
         DELETE FROM gnomon.streams WHERE NOT EXISTS (SELECT FROM gnomon.events WHERE events.stream = streams.stream);
         UPDATE gnomon.streams SET (version, last_position) =
             (SELECT max(events.version), max(position) FROM gnomon.events WHERE events.stream = streams.stream);
         RESET session_replication_role"
    );
    sqlx::raw_sql(&statements).execute(&admin).await.unwrap();
    admin.close().await;
}

async fn restored<T>(followed: impl futures_util::Stream<Item = Result<T, FollowError>>) -> Position {
    let mut followed = pin!(followed);
    let end = async {
        loop {
            if let Err(error) = followed.next().await.expect("a follower ends with an error") {
                return error;
            }
        }
    };
    match tokio::time::timeout(DEADLINE, end).await.expect("the follower ends in time") {
        FollowError::Restored(head) => head,
        FollowError::Postgres(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_goes_back_is_noticed_and_ends_followers() {
    let test = TestLog::open().await;
    for _ in 0..5 {
        test.append("a-1", &["Moved"]).await;
    }
    test.append("b-1", &["Opened"]).await;
    let mut restores = test.log.restores();
    let following = test.log.follow(Position(6), Filter::default(), |_| ready(()));
    let of_stream = test.log.follow_stream(stream("a-1"), StreamVersion(5), |_| ready(()));
    let ends = async { tokio::join!(restored(following), restored(of_stream)) };
    let restoring = async {
        restore(&test, 2).await;
        tokio::time::timeout(DEADLINE, restores.changed()).await.expect("it is noticed in time").unwrap();
    };
    let (heads, ()) = tokio::join!(ends, restoring);
    assert_eq!(heads, (Position(2), Position(2)));
    assert_eq!(*test.log.head().borrow(), Position(2));

    // Followers that begin now get the positions that are given a second time, and the log goes on from the restore.
    let mut following = pin!(test.log.follow(Position(2), Filter::default(), |_| ready(())));
    let appended = test.append("a-1", &["Closed"]).await;
    assert_eq!((appended.first_position, appended.first_version), (Position(3), StreamVersion(3)));
    let (next, ()) = tokio::time::timeout(DEADLINE, following.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(&next[..], [Followed::Event(event)] if event.position == Position(3)), "{next:?}");
}

/// A dump is restored in place, and the log has grown beyond what this host knew before it looks.
#[tokio::test(flavor = "multi_thread")]
async fn another_log_of_the_same_length_is_noticed() {
    let test = TestLog::open().await;
    test.append("a-1", &["Moved"]).await;
    let mut restores = test.log.restores();
    sqlx::raw_sql(
        "BEGIN; ALTER TABLE gnomon.head RENAME TO old_head;
         CREATE TABLE gnomon.head (LIKE gnomon.old_head INCLUDING ALL);
         INSERT INTO gnomon.head SELECT * FROM gnomon.old_head; DROP TABLE gnomon.old_head; COMMIT",
    )
    .execute(&test.pool)
    .await
    .unwrap();
    tokio::time::timeout(DEADLINE, restores.changed()).await.expect("it is noticed in time").unwrap();
    test.append("a-1", &["Moved"]).await;
}
