//! Answers that have to hold the effect of a position.

use super::*;
use crate::{
    builds::{
        BuildId,
        tests::{step, writes},
    },
    read_model::TableSet,
    subscriptions::Lease,
};

const LONG: Duration = Duration::from_secs(60);

/// An active build with one row, whose `n` is ten times its position. Its position is 1, and the log has ten events.
struct OneRow {
    builds: TestBuilds,
    build: BuildId,
    tables: TableSet,
    lease: Lease,
    reader: Reader,
}

impl OneRow {
    async fn create() -> Self {
        let builds = TestBuilds::create().await;
        let (build, tables) = builds.build(1, &["n"]).await;
        builds.live(build).await;
        builds.append(10).await;
        let lease = builds.lease(build).await;
        builds.commit(lease, &tables, step(0, 1), writes(&tables, &[1, 10])).await.unwrap();
        builds.activate(build, &tables).await;
        let reader = Reader::on(&builds).await;
        let one = Self { builds, build, tables, lease, reader };
        // From now on the reader remembers the active build.
        assert_eq!(one.read_from(1, LONG).await.unwrap(), 1);
        one
    }

    async fn commit(&self, from: u64, to: u64) {
        let row = writes(&self.tables, &[1, 10 * i64::try_from(to).unwrap()]);
        self.builds.commit(self.lease, &self.tables, step(from, to), row).await.unwrap();
    }

    /// A worker of the reader's host says how far it has come.
    fn say(&self, position: u64) {
        self.reader.committed.send_modify(|commits| commits.committed(self.build, Position(position)));
    }

    /// The position of an answer, whose row is of that position.
    async fn read_from(&self, wanted: u64, wait: Duration) -> Result<u64, ReadError> {
        let request = self.reader.request(&self.builds, "");
        let answer = self.reader.queries.read_from(request, Position(wanted), wait).await?;
        let position = answer.position.0;
        assert_eq!(answer.body.text(), format!(r#"[{{"id":1,"n":{}}}]"#, 10 * position));
        Ok(position)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_here_says_is_enough() {
    let one = OneRow::create().await;
    one.say(1);
    let reading = one.read_from(2, LONG);
    let committing = async {
        one.commit(1, 2).await;
        one.say(2);
    };
    assert_eq!(tokio::join!(reading, committing).0.unwrap(), 2);
    assert_eq!(*one.reader.queries.awaited.borrow(), Position(2));
    assert_eq!(one.read_from(2, Duration::ZERO).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_older_than_a_worker_says_are_not_answered() {
    let one = OneRow::create().await;
    // As if another build had been active at 5, and this one had been activated since.
    one.say(5);
    match one.read_from(5, Duration::ZERO).await.unwrap_err() {
        ReadError::Behind { checkpoint, wanted, .. } => assert_eq!((checkpoint, wanted), (Position(1), Position(5))),
        error => panic!("{error}"),
    }
    let reading = one.read_from(5, LONG);
    assert_eq!(tokio::join!(reading, one.commit(1, 6)).0.unwrap(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_left_is_not_waited_for() {
    let one = OneRow::create().await;
    one.say(1);
    let reading = one.read_from(3, LONG);
    let leaving = async {
        one.reader.committed.send_modify(|commits| commits.left(one.build));
        // On another host.
        one.commit(1, 3).await;
    };
    assert_eq!(tokio::join!(reading, leaving).0.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_beyond_the_head_is_refused_whatever_a_worker_says() {
    let one = OneRow::create().await;
    one.say(1);
    assert!(matches!(one.read_from(11, LONG).await.unwrap_err(), ReadError::BeyondHead { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_is_unchanged_only_if_it_holds_the_position() {
    let one = OneRow::create().await;
    let request = one.reader.request(&one.builds, "");
    let held = async |wanted| {
        let unchanged = one.reader.queries.unchanged(&request, Position(wanted), |_| true).await;
        unchanged.map(|unchanged| unchanged.position.0)
    };
    assert_eq!((held(0).await, held(1).await, held(2).await), (Some(1), Some(1), None));
    one.commit(1, 2).await;
    assert_eq!(held(2).await, Some(2));
}
