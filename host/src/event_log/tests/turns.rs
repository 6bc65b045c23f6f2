//! Whose task commits, and who hears of it.

use std::{
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use sqlx::postgres::PgListener;

use super::*;
use crate::postgres::begin;

/// Its task commits for others as well, so they must not be left alone.
#[tokio::test]
async fn an_append_whose_client_leaves_is_committed_and_so_are_those_behind_it() {
    let test = TestLog::open().await;
    test.append("a-1", &["Before"]).await;
    let mut held = begin(&test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.head FOR UPDATE").execute(&mut *held).await.unwrap();
    {
        let mut leaving = pin!(test.append("a-1", &["Left"]));
        assert!(leaving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let behind: Vec<_> = ["b-1", "c-1"]
        .into_iter()
        .map(|name| {
            let log = test.log.clone();
            tokio::spawn(async move { append(&log, name, ExpectedVersion::Any, vec![event("Behind")]).await })
        })
        .collect();
    test_support::until("they wait", async || test.log.shared.appender.waiting() == 2).await;
    held.rollback().await.unwrap();
    for behind in behind {
        behind.await.unwrap().unwrap();
    }
    let types: Vec<_> = test.all().await.into_iter().map(|(_, _, name)| name).collect();
    assert_eq!(types, ["Before", "Left", "Behind", "Behind"]);
    // The next one finds the committer at rest, alone or not.
    assert_eq!(test.append("a-1", &["After"]).await.first_version, StreamVersion(3));
    assert_eq!(test.append("a-1", &["After"]).await.first_version, StreamVersion(4));
}

/// Each of them finds the committer at rest, or somebody who commits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_append_is_left_waiting_however_they_meet() {
    let test = TestLog::open().await;
    let writers = (0..8).map(|writer| {
        let log = test.log.clone();
        tokio::spawn(async move {
            for number in 0..100 {
                let name = format!("s-{writer}");
                let appended = append(&log, &name, ExpectedVersion::Exact(StreamVersion(number)), vec![event("A")]);
                let appended = tokio::time::timeout(Duration::from_secs(60), appended).await.expect("an answer");
                assert_eq!(appended.unwrap().last_version, StreamVersion(number + 1));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(test.log.read_head().await.unwrap(), Position(800));
}

#[tokio::test]
async fn nobody_is_notified_while_no_other_host_lives() {
    let test = TestLog::open().await;
    let mut listener = PgListener::connect_with(&test.pool).await.unwrap();
    listener.listen("gnomon_head").await.unwrap();
    test.append("a-1", &["A"]).await;
    test.log.no_other_host_for(Duration::from_secs(3600));
    // Under the lock and at the head that is known, alone and with others.
    test.append("a-1", &["A"]).await;
    test.append("b-1", &["A", "B"]).await;
    assert_eq!(*test.log.head().borrow(), Position(4), "this host knows");
    test.log.no_other_host_for(Duration::ZERO);
    test.append("a-1", &["A"]).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "5") {
        let next = tokio::time::timeout(Duration::from_secs(60), listener.recv()).await.expect("a notification");
        heard.push(next.unwrap().payload().to_owned());
    }
    assert_eq!(heard, ["1", "5"]);
}
