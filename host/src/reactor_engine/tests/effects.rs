//! What a reactor does, and what it hears of it.

use serde_json::{Value, json};

use super::*;
use crate::runtime::effect_id;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_answered_with_every_kind_of_effect() {
    let test = TestReactor::start().await;
    let orders = json!([
        append("note-1"),
        {"publish": "note.taken"},
        {"append": {"stream": "note-2", "events": 2}},
        {"call": "pay 1"},
        schedule("later", 3_600_000),
        schedule("never", 3_600_000),
        {"cancel": "never"},
    ]);
    test.tell("told-1", orders).await;
    test.handled().await;
    let lineage = test.reactor().await.lineage;
    let done = test.done().await;
    let found: Vec<_> = done
        .iter()
        .map(|event| (event.position.0, event.stream.as_str(), event.version.0, event.data.as_str(), event.id))
        .collect();
    // Ids are made of the event that is answered, and numbers count over all that it is answered with.
    let id = |number| effect_id(lineage, Position(1), number);
    assert_eq!(
        found,
        [(2, "note-1", 1, "[1,0]", id(0)), (3, "note-2", 1, "[1,0]", id(2)), (4, "note-2", 2, "[1,1]", id(3)),]
    );
    assert_eq!(
        test.messages().await,
        [(1, 1, "note.taken".to_owned(), None), (1, 4, "pay 1".to_owned(), Some("pay 1".to_owned()))]
    );
    let message: (uuid::Uuid, String, String, String, Option<String>, String) =
        sqlx::query_as("SELECT id, reactor, sink, key, subject, data::text FROM gnomon.outbox WHERE number = 1")
            .fetch_one(&test.host.database.lookups)
            .await
            .unwrap();
    let texts = ["obeys", "mail", "told-1"].map(str::to_owned);
    let [reactor, sink, key] = texts;
    assert_eq!(message, (id(1), reactor, sink, key, Some("told-1".to_owned()), "1".to_owned()));
    assert_eq!(test.schedules().await, ["later"]);
    assert_eq!(test.heard().await, [(1, "told".to_owned(), 0)]);
    let summary = test.summary().await;
    assert_eq!((summary.schedules, summary.began_after, summary.version), (1, Position(0), ModuleVersion(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_append_is_heard_of_and_halts_nothing() {
    let test = TestReactor::start().await;
    test.host.append([("note-1".to_owned(), "Before", Value::Null)]).await;
    test.tell("told-1", json!([append("note-2"), append_at("note-1", 0), append_at("note-1", 1)])).await;
    // The first answer makes the second one wrong.
    test.tell("told-2", json!([append_at("note-1", 1)])).await;
    test.handled().await;
    test_support::until("both refusals are heard of", async || test.heard().await.len() == 4).await;
    let heard: Vec<String> = test.heard().await.into_iter().map(|(_, what, _)| what).collect();
    assert_eq!(
        heard,
        ["told", "told", "refused note-1 expected 0 current 1 at 2/1", "refused note-1 expected 1 current 2 at 3/0",]
    );
    let names = test.done_by_name().await;
    let names: Vec<_> = names.iter().map(|(stream, event_type)| (stream.as_str(), event_type.as_str())).collect();
    assert_eq!(
        names,
        [
            ("note-1", "Before"),
            ("note-2", "Done"),
            ("gnomon:obeys-note-1", "AppendRefused"),
            ("note-1", "Done"),
            ("gnomon:obeys-note-1", "AppendRefused"),
        ]
    );
    let lineage = test.reactor().await.lineage;
    let ids: Vec<_> =
        test.done().await.iter().filter(|event| event.stream.is_reserved()).map(|event| event.id).collect();
    assert_eq!(ids, [effect_id(lineage, Position(2), 1), effect_id(lineage, Position(3), 0)]);
}

/// It names no category of the host's, and all types of its own events.
#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_hears_of_its_own_effects_and_not_of_those_of_others() {
    let test = TestReactor::start().await;
    let other = Identifier::new("obeys_too").unwrap();
    let bytes = test_support::guest("obeys");
    test.host.operations.upload(&other, bytes, Activation::Auto).await.unwrap();
    test.tell("told-1", json!([schedule("now", 0)])).await;
    test_support::until("both are told that it is due", async || test.done().await.len() == 2).await;
    test.handled().await;
    test_support::until("the other one has handled the log", async || {
        let found = test.host.operations.reactor(&other).await.unwrap();
        found.checkpoint == test.host.log.read_head().await.unwrap()
    })
    .await;
    for name in [&test.name, &other] {
        let reactor = reactors::get(&test.host.database.lookups, name).await.unwrap().unwrap();
        let heard: Vec<String> =
            sqlx::query_scalar(&format!("SELECT what FROM {}.heard ORDER BY position", reactor.id.schema()))
                .fetch_all(&test.host.database.lookups)
                .await
                .unwrap();
        assert_eq!(heard, ["told", "due now"], "{name}");
    }
}

/// What cannot be carried out is the module's failure at the event, and nothing of the event is done.
#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_cannot_be_carried_out_is_a_failure_at_its_event() {
    let test = TestReactor::start().await;
    test.tell("told-1", json!([append("note-1")])).await;
    test.tell("told-2", json!([append("note-1"), append("gnomon:obeys-1")])).await;
    let why = test.stopped().await;
    assert!(why.contains("at position 2") && why.contains("gnomon:"), "{why}");
    assert_eq!(test.done_by_name().await.len(), 1);
    assert_eq!(test.summary().await.checkpoint, Position(1));
}

/// Many events, each answered with one, in batches.
#[tokio::test(flavor = "multi_thread")]
async fn each_event_of_many_is_answered_once() {
    const EVENTS: usize = 3000;
    let test = TestReactor::start().await;
    let events = (0..EVENTS)
        .map(|number| (format!("told-{}", number % 10), "Told", json!([append(&format!("note-{}", number % 7))])));
    test.host.append(events).await;
    test.handled().await;
    let done = test.done().await;
    assert_eq!(done.len(), EVENTS);
    let answered: Vec<String> = done.iter().map(|event| event.data.as_str().to_owned()).collect();
    assert_eq!(answered, (1..=EVENTS).map(|position| format!("[{position},0]")).collect::<Vec<_>>());
    let before: Vec<i64> = test.heard().await.into_iter().map(|(_, _, before)| before).collect();
    assert_eq!(before, (0..EVENTS as i64).collect::<Vec<_>>());
}
