//! Events that a reactor cannot handle.

use serde_json::json;

use super::*;
use crate::subscriptions::{OnFailure, Redelivery, StopError};

impl TestReactor {
    async fn set_aside(&self) -> Vec<(u64, bool)> {
        let found = self.host.operations.reactor_dead_letters(&self.name, Position(0), 100).await.unwrap();
        found.letters.iter().map(|letter| (letter.position.0, letter.parked)).collect()
    }

    /// Three events of two streams, the second of which fails in the first version.
    async fn tell_some(&self) {
        let order = |number: u32, fails: bool| {
            let mut orders = vec![append(&format!("note-{number}"))];
            orders.extend(fails.then(|| fail_up_to(1)));
            json!(orders)
        };
        let events = [("told-1", 1, false), ("told-2", 2, true), ("told-1", 3, false), ("told-2", 4, false)];
        let events = events.map(|(stream, number, fails)| (stream.to_owned(), "Told", order(number, fails)));
        self.host.append(events).await;
    }

    async fn notes(&self) -> Vec<String> {
        self.done_by_name().await.into_iter().map(|(stream, _)| stream).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_halts_before_the_event_and_keeps_what_came_before() {
    let test = TestReactor::start().await;
    test.tell_some().await;
    let why = test.stopped().await;
    assert!(why.contains("it is told to fail (Told of stream told-2)"), "{why}");
    assert_eq!((test.notes().await, test.summary().await.checkpoint), (vec!["note-1".to_owned()], Position(1)));
    let error = test.summary().await.error;
    assert!(matches!(&error, Some(StopError::Module { failure, .. }) if failure.position == Position(2)), "{error:?}");
    let resumed = test.host.operations.resume_reactor(&test.name).await.unwrap_err().to_string();
    assert_eq!(resumed, "reactor `obeys` is halted: it was not paused; retry it, or deploy a version that works");
    // It fails again.
    test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap();
    test_support::until("it has halted again", async || test.summary().await.error.is_some()).await;
    assert_eq!(test.notes().await, ["note-1"]);
    // With another policy it goes on.
    test.host.operations.set_reactor_on_failure(&test.name, OnFailure::Skip).await.unwrap();
    test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap();
    test.handled().await;
    assert_eq!(test.notes().await, ["note-1", "note-3", "note-4"]);
    assert_eq!(test.set_aside().await, [(2, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_parked_are_handled_in_their_order_by_a_version_that_can() {
    let test = TestReactor::start().await;
    test.host.operations.set_reactor_on_failure(&test.name, OnFailure::Park).await.unwrap();
    test.tell_some().await;
    test.handled().await;
    assert_eq!(test.notes().await, ["note-1", "note-3"]);
    assert_eq!(test.set_aside().await, [(2, true), (4, true)]);
    // They fail again, and stay.
    let retried = test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap();
    assert_eq!((retried.overtaken, retried.behind_others), (0, 2));
    test_support::until("they were tried", async || !test.is_retrying().await).await;
    assert_eq!(test.set_aside().await, [(2, true), (4, true)]);

    test.deploy("obeys_next", None).await.unwrap();
    test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap();
    test_support::until("nothing is set aside", async || test.set_aside().await.is_empty()).await;
    test.handled().await;
    assert_eq!(test.notes().await, ["note-1", "note-3", "note-2", "note-4"]);
    assert_eq!(test.summary().await.out_of_order, 2);
    // Ids are those of their own events.
    let lineage = test.reactor().await.lineage;
    let ids: Vec<_> = test.done().await.iter().map(|event| event.id).collect();
    let of = |position| crate::runtime::effect_id(lineage, Position(position), 0);
    assert_eq!(ids, [of(1), of(3), of(2), of(4)]);
}

impl TestReactor {
    async fn is_retrying(&self) -> bool {
        sqlx::query_scalar("SELECT retrying IS NOT NULL FROM gnomon.subscriptions")
            .fetch_one(&self.host.database.lookups)
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_overtaken_is_only_retried_out_of_order() {
    let test = TestReactor::start().await;
    test.host.operations.set_reactor_on_failure(&test.name, OnFailure::Skip).await.unwrap();
    test.tell_some().await;
    test.handled().await;
    test.deploy("obeys_next", None).await.unwrap();
    let refused = test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap_err().to_string();
    assert!(
        refused.contains("reactor `obeys` has handled later events of the stream of its 1 dead letter"),
        "{refused}"
    );
    test.host.operations.retry_reactor(&test.name, Redelivery::All).await.unwrap();
    test_support::until("nothing is set aside", async || test.set_aside().await.is_empty()).await;
    assert_eq!(test.notes().await, ["note-1", "note-3", "note-4", "note-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_that_sets_too_many_events_aside_halts() {
    let database = TestDatabase::create().await;
    let reactors = ReactorSettings { max_dead_letters: 2, ..ReactorSettings::default() };
    let host = TestHost::start_with(&database, ServerSettings { reactors, ..ServerSettings::default() }).await;
    let test = TestReactor { host, name: Identifier::new("obeys").unwrap(), database };
    test.deploy("obeys", None).await.unwrap();
    test.host.operations.set_reactor_on_failure(&test.name, OnFailure::Skip).await.unwrap();
    for number in 0..3 {
        test.tell(&format!("told-{number}"), json!([fail_up_to(1)])).await;
        if number < 2 {
            test.handled().await;
        }
    }
    assert_eq!(test.stopped().await, "3 events would be set aside; the limit max_dead_letters is 2");
    assert_eq!(test.set_aside().await.len(), 2);
}
