//! Live queries over HTTP: server-sent events of rows.

use axum::body::BodyDataStream;

use super::*;
use crate::{
    builds::{
        Work,
        tests::{TestBuilds, rows, step},
    },
    read_model::{ColumnType, TableSet, Value as Cell},
    subscriptions::Lease,
};

const ROWS: &str = "/v1/read-models/totals/sums";

struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(api: &TestApi, query: &str, last_id: Option<&str>) -> Self {
        let mut request = Request::get(format!("{ROWS}?{query}")).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The text up to the end of the next event `position`, and its id.
    async fn until_position(&mut self) -> (String, String) {
        loop {
            let position = self.text.find("event: position\n");
            if let Some(end) = position.and_then(|at| Some(at + self.text[at..].find("\n\n")? + 2)) {
                let rest = self.text.split_off(end);
                let text = std::mem::replace(&mut self.text, rest);
                let id = text.rsplit("id: ").next().unwrap().trim().to_owned();
                // Another one each time.
                return (text.replace(&id, "<id>"), id);
            }
            let chunk = tokio::time::timeout(FOLLOW_DEADLINE, self.body.next()).await.expect("an event in time");
            self.text += std::str::from_utf8(&chunk.expect("it goes on").unwrap()).unwrap();
        }
    }
}

/// A read model on which no host works; texts may have line breaks.
async fn model() -> (TestBuilds, TableSet, Lease) {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build_with(1, &[("t", ColumnType::Text), ("at", ColumnType::Timestamp)]).await;
    builds.live(build).await;
    builds.activate(build, &tables).await;
    builds.set(build, |kept| kept.work = Work::Paused).await;
    let lease = builds.lease(build).await;
    (builds, tables, lease)
}

async fn commit(model: &(TestBuilds, TableSet, Lease), from: u64, id: i64, text: Option<&str>) {
    let (builds, tables, lease) = model;
    let mut writes = rows(tables, []);
    match text {
        Some(text) => {
            writes.put(0, vec![Cell::I64(id), Cell::Text(text.to_owned()), Cell::Timestamp(gnomon_values::Instant(0))])
        }
        None => writes.delete(0, vec![Cell::I64(id)]),
    }
    builds.commit(*lease, tables, step(from, from + 1), writes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_followed_as_server_sent_events() {
    let model = model().await;
    commit(&model, 0, 1, Some("a\nb")).await;
    let api = TestApi::on(&model.0.database).await;
    let mut events = Events::open(&api, "t=not.is.null&select=id,t", None).await;
    let (begins, first) = events.until_position().await;
    insta::assert_snapshot!(begins, @r#"
    :

    event: snapshot
    data: {"reason":"begin","position":1,"build":1}
    id: none

    event: insert
    data: {"position":1,"key":{"id":1},"row":{"id":1,"t":"a\nb"}}

    event: position
    data: {"position":1,"build":1}
    id: <id>

    "#);
    commit(&model, 1, 2, Some("c")).await;
    commit(&model, 2, 1, None).await;
    // Perhaps together.
    let mut changes = String::new();
    while !(changes.contains("event: insert") && changes.contains("event: delete")) {
        changes += &events.until_position().await.0;
    }
    assert!(changes.contains(r#","key":{"id":2},"row":{"id":2,"t":"c"}}"#), "{changes}");
    assert!(changes.contains("event: delete\ndata: {\"position\":3,\"key\":{\"id\":1}}\n\n"), "{changes}");

    // A client that comes back from before a commit that nobody noted begins again; from behind it, it goes on.
    let mut begins_again = Events::open(&api, "t=not.is.null&select=id,t", Some(&first)).await;
    let (text, last) = begins_again.until_position().await;
    let goes_on = text.contains("event: snapshot") || text.contains("event: update");
    assert!(goes_on, "{text}");
    let mut goes_on = Events::open(&api, "t=not.is.null&select=id,t", Some(&last)).await;
    insta::assert_snapshot!(goes_on.until_position().await.0, @r#"
    :

    event: position
    data: {"position":3,"build":1}
    id: <id>

    "#);
    let mut counts = Events::open(&api, "select=count()", None).await;
    let (text, _) = counts.until_position().await;
    assert!(text.contains("event: answer\ndata: {\"position\":3,\"rows\":[{\"count\":1}]}\n\n"), "{text}");
    // They end with the host.
    api.closing.cancel();
    for events in [&mut events, &mut goes_on, &mut counts] {
        while let Ok(Some(_)) = tokio::time::timeout(FOLLOW_DEADLINE, events.body.next()).await {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_that_follows_cannot_have_is_refused() {
    let model = model().await;
    commit(&model, 0, 1, Some("a")).await;
    let api = TestApi::on(&model.0.database).await;
    for (query, name, value, status, code) in [
        ("", "range", "0-9", 400, "PGRST127"),
        ("", "prefer", "count=exact", 400, "PGRST127"),
        ("", "prefer", "timezone=Asia/Tokyo", 400, "PGRST127"),
        ("", "prefer", "handling=strict, x=y", 400, "PGRST122"),
        ("", "accept-profile", "x", 406, "PGRST106"),
        ("", "last-event-id", "\u{e9}", 400, "invalid_header"),
        ("", "gnomon-min-position", "x", 400, "invalid_header"),
        ("", "gnomon-as-of", "1", 400, "PGRST127"),
        ("as_of=1", "prefer", "", 400, "PGRST127"),
        ("cursor=", "prefer", "", 400, "PGRST100"),
        ("at=lt.now", "prefer", "", 400, "PGRST127"),
        ("nothing=eq.1", "prefer", "", 400, "42703"),
        ("id=eq.x", "prefer", "", 400, "22P02"),
    ] {
        let request = Request::get(format!("{ROWS}?{query}")).header(header::ACCEPT, "text/event-stream");
        let request = request.header(name, axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status.as_u16(), &problem["code"]), (status, &json!(code)), "{query} {name} {value}");
    }
    let missing = Request::get("/v1/read-models/totals/sumz").header(header::ACCEPT, "text/event-stream");
    assert_eq!(api.send(missing.body(Body::empty()).unwrap()).await.status, StatusCode::NOT_FOUND);
    // An id of something else is none, and a position is waited for.
    let mut events = Events::open(&api, "", Some("17")).await;
    assert!(events.until_position().await.0.contains("\"reason\":\"gap\""));
}
