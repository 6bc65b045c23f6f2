//! What an application does: it reads the events that a decision depends on, decides, and appends on the condition that no further event
//! of the kind has come in between.

use std::sync::atomic::{AtomicUsize, Ordering};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Host;

/// Two hosts on one database. Each request goes to the next of them, so that what one reads is decided on the other.
pub(super) struct Hosts {
    hosts: [Host; 2],
    turn: AtomicUsize,
    /// Dropped last: the hosts hold connections.
    _database: TestDatabase,
}

/// What was decided is appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// How often it was decided, until no event came in between.
    pub(super) tries: usize,
}

impl Hosts {
    pub(super) async fn start() -> Self {
        let database = TestDatabase::create().await;
        let first = Host::start(&database).await;
        let second = first.beside().await;
        Self { hosts: [first, second], turn: AtomicUsize::new(0), _database: database }
    }

    /// The next host.
    pub(super) fn next(&self) -> &Host {
        &self.hosts[self.turn.fetch_add(1, Ordering::Relaxed) % self.hosts.len()]
    }

    /// Decides on the events that match a query, and appends the events that were decided. As long as further events match before they
    /// are appended, it decides again.
    ///
    /// # Errors
    /// What the decision says.
    pub(super) async fn decide<S: Default, R>(
        &self,
        query: &Value,
        fold: impl Fn(&mut S, &Value),
        decision: impl Fn(&S) -> Result<Vec<Value>, R>,
    ) -> Result<Decided, R> {
        let mut tries = 1;
        loop {
            let (events, seen) = self.read(query).await;
            let mut state = S::default();
            events.iter().for_each(|event| fold(&mut state, event));
            if self.append(&decision(&state)?, query, seen).await {
                return Ok(Decided { tries });
            }
            tries += 1;
        }
    }

    /// The same for a decision on nothing but the newest event that matches.
    pub(super) async fn decide_by_newest(
        &self,
        query: &Value,
        decision: impl Fn(Option<&Value>) -> Vec<Value>,
    ) -> Decided {
        let mut tries = 1;
        loop {
            let page = self.page(query, "direction=backward&limit=1").await;
            // What is there is found at once: the search of a page goes further back than the log of a test.
            let newest = page["events"].get(0);
            let head = page["head"].as_u64().unwrap();
            if self.append(&decision(newest), query, head).await {
                return Decided { tries };
            }
            tries += 1;
        }
    }

    /// Every event that matches a query, and the position up to which they were looked for.
    async fn read(&self, query: &Value) -> (Vec<Value>, u64) {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = self.page(query, &format!("after={after}")).await;
            events.extend_from_slice(page["events"].as_array().unwrap());
            after = page["next"].as_u64().unwrap();
            if page["next"] == page["head"] {
                return (events, after);
            }
        }
    }

    async fn page(&self, query: &Value, parameters: &str) -> Value {
        let host = self.next();
        let answer = host.send(host.request(Method::POST, &format!("/v1/events/query?{parameters}")).json(query)).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        answer.body
    }

    /// Appends events if none that matches the query stands after a position; returns whether it did.
    pub(super) async fn append(&self, events: &[Value], query: &Value, after: u64) -> bool {
        let condition = json!({"fail_if_events_match": query, "after": after});
        let body = json!({"appends": [{"events": events}], "condition": condition});
        let host = self.next();
        let answer = host.send(host.request(Method::POST, "/v1/events").json(&body)).await;
        if answer.status == StatusCode::CREATED {
            return true;
        }
        let refused = (answer.status, answer.body["code"].as_str());
        assert_eq!(refused, (StatusCode::CONFLICT, Some("append_condition_failed")), "{body}: {answer:?}");
        assert!(answer.body["position"].as_u64().unwrap() > after, "{body}: {answer:?}");
        false
    }

    /// The whole log.
    pub(super) async fn log(&self) -> Vec<Value> {
        let (mut log, mut after) = (Vec::new(), json!(0));
        loop {
            let page = self.next().json(&format!("/v1/events?after={after}&limit=1000")).await;
            log.extend_from_slice(page["events"].as_array().unwrap());
            if page["next"] == page["head"] {
                return log;
            }
            after = page["next"].clone();
        }
    }
}

/// The text of a member of an event's data.
pub(super) fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event["data"][name].as_str().unwrap_or_else(|| panic!("no text {name}: {event}"))
}

/// Whether an event is of this type.
pub(super) fn is(event: &Value, event_type: &str) -> bool {
    event["type"] == event_type
}

/// How many of the results are right, and how often each refusal occurs: there must be no other than this one.
pub(super) fn accepted<R: PartialEq + std::fmt::Debug>(results: Vec<Result<Decided, R>>, refusal: &R) -> usize {
    let mut accepted = 0;
    for result in results {
        match result {
            Ok(_) => accepted += 1,
            Err(refused) => assert_eq!(refused, *refusal),
        }
    }
    accepted
}
