//! Upcasters that are activated while a reactor runs: from then on it gets its events as they make them.

use serde_json::json;

use super::*;
use crate::{reactors::Work as Running, subscriptions::Redelivery};

impl TestReactor {
    /// Uploads an upcaster, which becomes active.
    async fn activate(&self, name: &str) {
        let component = test_support::upcaster(name);
        self.host.operations.upload(&Identifier::new(name).unwrap(), component, Activation::Auto).await.unwrap();
    }

    async fn deactivate(&self, name: &str) {
        self.host.operations.deactivate_upcaster(&Identifier::new(name).unwrap()).await.unwrap();
    }

    /// Asks the reactor to append an event; it hears of that only by an upcaster. Returns the position.
    async fn ask(&self) -> u64 {
        self.host.append([("told-1".to_owned(), "Asked", json!([append("note-1")]))]).await;
        self.host.log.read_head().await.unwrap().0
    }

    /// The positions of the events that were answered by an event.
    async fn answered(&self) -> Vec<u64> {
        let done = self.done().await;
        let done = done.iter().filter(|event| event.event_type.as_str() == "Done");
        done.map(|event| serde_json::from_str::<[u64; 2]>(event.data.as_str()).unwrap()[0]).collect()
    }

    /// How often the lease was taken, by hosts and from them.
    async fn epoch(&self) -> i64 {
        sqlx::query_scalar("SELECT lease_epoch FROM gnomon.subscriptions")
            .fetch_one(&self.host.database.lookups)
            .await
            .unwrap()
    }

    async fn upcasters(&self) -> Vec<String> {
        self.reactor().await.upcasters.iter().map(|(name, version)| format!("{name} {version}")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_reactor_gets_what_it_has_not_handled_as_the_active_upcasters_make_it() {
    let test = TestReactor::start().await;
    test.ask().await;
    test.tell("told-1", json!([append("note-1")])).await;
    test.handled().await;
    // The first one meant nothing to it, and is behind it for good.
    assert_eq!(test.answered().await, [2]);

    test.activate("asked").await;
    assert_eq!(test.upcasters().await, ["asked 1"]);
    let asked = test.ask().await;
    test.handled().await;
    assert_eq!(test.answered().await, [2, asked]);

    // The same again changes nothing, and neither does an upcaster of events that it does not read.
    let epoch = test.epoch().await;
    test.activate("asked").await;
    test.activate("added").await;
    assert_eq!((test.upcasters().await, test.epoch().await), (vec!["asked 1".to_owned()], epoch));

    test.deactivate("asked").await;
    // Those that are active now, whether or not they concern it.
    assert_eq!(test.upcasters().await, ["added 1"]);
    test.ask().await;
    test.tell("told-1", json!([append("note-1")])).await;
    test.handled().await;
    assert_eq!(test.answered().await.len(), 3);
}

/// Whether it is worked on does not change with the upcasters, and what is tried again goes through those that are active then.
#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_that_stands_still_goes_on_through_the_upcasters_that_are_active_then() {
    let test = TestReactor::start().await;
    test.host.operations.pause_reactor(&test.name).await.unwrap();
    let asked = test.ask().await;
    test.activate("asked").await;
    assert_eq!(test.summary().await.work, Running::Paused);
    test.host.operations.resume_reactor(&test.name).await.unwrap();
    test.handled().await;
    assert_eq!(test.answered().await, [asked]);

    test.host.append([("told-1".to_owned(), "Asked", json!([fail_up_to(1)]))]).await;
    assert!(test.stopped().await.contains("it is told to fail"));
    // Without the upcaster, the event means nothing to it.
    test.deactivate("asked").await;
    assert_eq!(test.summary().await.work, Running::Halted);
    test.host.operations.retry_reactor(&test.name, Redelivery::InOrder).await.unwrap();
    test.handled().await;
    assert_eq!(test.answered().await, [asked]);
}
