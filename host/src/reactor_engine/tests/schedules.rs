//! Schedules, and the events of those that are due.

use serde_json::json;
use uuid::Uuid;

use super::*;

impl TestReactor {
    async fn due(&self) -> Vec<String> {
        self.done_by_name()
            .await
            .into_iter()
            .filter(|(_, event_type)| event_type == "ScheduleDue")
            .map(|(name, _)| name)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_due_once_at_its_time() {
    let test = TestReactor::start().await;
    let before = gnomon_values::Instant(test.now().await);
    test.tell("told-1", json!([schedule("b", 150), schedule("a", 50), schedule("past", -1000), schedule("never", 100), {"cancel": "never"}])).await;
    test_support::until("all of them are due", async || test.due().await.len() == 3).await;
    assert_eq!(test.due().await, ["gnomon:obeys-past", "gnomon:obeys-a", "gnomon:obeys-b"]);
    test.handled().await;
    let heard: Vec<String> = test.heard().await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(heard, ["told", "due past", "due a", "due b"]);
    assert_eq!(test.schedules().await, [""; 0]);
    let events = test.done().await;
    let told = test.host.log.read_at(&[Position(1)]).await.unwrap().remove(0);
    for (event, after) in events.iter().zip([-1000, 50, 150]) {
        let scheduled_for = gnomon_values::Instant(told.time.0 + after * 1000);
        let data: Value = serde_json::from_str(event.data.as_str()).unwrap();
        assert_eq!(data["scheduled_for"], serde_json::to_value(scheduled_for).unwrap());
        assert!(event.recorded_at >= scheduled_for && event.recorded_at >= before, "{event:?}");
    }
    let lineage = test.reactor().await.lineage;
    let id = |number| crate::runtime::effect_id(lineage, Position(1), number);
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [id(2), id(1), id(0)]);
}

impl TestReactor {
    /// The clock of Postgres.
    async fn now(&self) -> i64 {
        let now: crate::postgres::PgTimestamp =
            sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.host.database.lookups).await.unwrap();
        now.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_replaces_the_one_of_its_name() {
    let test = TestReactor::start().await;
    test.tell(
        "told-1",
        json!([schedule("a", 0), schedule("b", 3_600_000), schedule("a", 3_600_000), schedule("b", 0)]),
    )
    .await;
    test_support::until("the one that is left is due", async || test.due().await.len() == 1).await;
    assert_eq!(test.due().await, ["gnomon:obeys-b"]);
    assert_eq!(test.schedules().await, ["a"]);
    test.tell("told-1", json!([schedule("a", 0)])).await;
    test_support::until("it is due now", async || test.due().await.len() == 2).await;
    assert_eq!(test.schedules().await, [""; 0]);
}

/// No host works while it becomes due.
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_survives_the_hosts() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([schedule("a", 100), schedule("b", 3_600_000)])).await;
    test_support::until("the schedules are made", async || !test.schedules().await.is_empty()).await;
    test.host.reactors.stop().await;
    let mut connection = test.host.database.lookups.acquire().await.unwrap();
    sqlx::query("SELECT pg_sleep(0.15)").execute(&mut *connection).await.unwrap();
    let host = test.other_host().await;
    test_support::until("it is due", async || test.due().await.contains(&"gnomon:obeys-a".to_owned())).await;
    test.handled().await;
    assert_eq!(test.due().await, ["gnomon:obeys-a"]);
    assert_eq!(test.schedules().await, ["b"]);
    host.reactors.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_reactor_is_told_when_it_is_resumed() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([schedule("a", 3_600_000)])).await;
    test_support::until("the schedule is made", async || !test.schedules().await.is_empty()).await;
    test.host.operations.pause_reactor(&test.name).await.unwrap();
    let mut connection = test.host.database.lookups.acquire().await.unwrap();
    sqlx::query("UPDATE gnomon.schedules SET due_at = clock_timestamp()").execute(&mut *connection).await.unwrap();
    assert!(test.due().await.is_empty());
    test.host.operations.resume_reactor(&test.name).await.unwrap();
    test_support::until("it is due", async || !test.due().await.is_empty()).await;
}

/// A reactor that is behind always has a next step to commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_due_while_the_reactor_catches_up() {
    let test = TestReactor::none().await;
    test.tell("told-0", json!([schedule("past", -1000)])).await;
    let told = (1..=20_000).map(|number| (format!("told-{number}"), "Told", json!([append("note-1")])));
    test.host.append(told).await;
    test.deploy("obeys", Some(1)).await.unwrap();
    test.handled().await;
    let done = test.done_by_name().await;
    let due = done.iter().position(|(_, event_type)| event_type == "ScheduleDue").unwrap();
    assert_eq!(done.len(), 20_001);
    assert!(due < 15_000, "it was appended behind {due} of the 20,000 events that answer the others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_may_have_any_name_that_a_stream_may_have() {
    let test = TestReactor::start().await;
    let long = "x".repeat(255);
    test.tell("told-1", json!([schedule("", 0), schedule(&long, 0)])).await;
    test_support::until("both are due", async || test.due().await.len() == 2).await;
    let mut due = test.due().await;
    due.sort();
    assert_eq!(due, ["gnomon:obeys-".to_owned(), format!("gnomon:obeys-{long}")]);
    test.handled().await;
    assert_eq!(test.heard().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_only_looks_like_one_of_its_own_tells_a_reactor_nothing() {
    let test = TestReactor::start().await;
    let due = json!({"name": "a", "data": [append("note-1")], "scheduled_for": "2026-01-01T00:00:00Z"});
    let answer = json!({"name": "a", "message": Uuid::nil(), "status": 200, "data": null});
    for (event_type, data) in [("ScheduleDue", due), ("CallSucceeded", answer)] {
        for stream in ["told-1", "obeys-a", "gnomon-obeys"] {
            test.host.append([(stream.to_owned(), event_type, data.clone())]).await;
        }
    }
    test.tell("told-1", json!([])).await;
    test.handled().await;
    let heard: Vec<String> = test.heard().await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(heard, ["told"]);
    assert!(test.done().await.iter().all(|event| event.stream.as_str() != "note-1"));
}
