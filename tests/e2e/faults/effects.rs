//! A reactor that does what events of the writers tell it: what it has done after a run, and what it was told.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Debug,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::receiver::{Receipt, is_refused};
use crate::support::{Host, until};

/// The reactor.
pub(super) const REACTOR: &str = "obeys";
/// The secret of its webhooks, and the variable that has it.
pub(super) const SECRET: (&str, &str) = ("GNOMON_SECRET_MAIL", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
/// Tries of a message, more than a run makes.
const MAX_TRIES: u32 = 1_000;

/// The settings of its sinks: where they are, and how long a try may take.
pub(super) fn sinks(mail: &str, bank: &str, timeout_seconds: u32) -> [(&'static str, Value); 2] {
    let secret = format!("env:{}", SECRET.0);
    let of = |kind: &str, url: &str| json!({"kind": kind, "url": url, "timeout_seconds": timeout_seconds, "max_tries": MAX_TRIES});
    let (mut mail, bank) = (of("webhook", mail), of("endpoint", bank));
    mail["secret"] = json!(secret);
    [("mail", mail), ("bank", bank)]
}

/// Whether a reactor may have made an event, which no writer wrote.
pub(super) fn is_effect(event: &Value) -> bool {
    let stream = event["stream"].as_str().unwrap_or_default();
    stream.starts_with("note-") || stream.starts_with(&format!("gnomon:{REACTOR}-"))
}

/// Lets the reactor work, and waits until all that it does is done.
pub(super) async fn until_all_is_done(host: &Host) {
    let path = format!("/v1/reactors/{REACTOR}");
    if host.json(&path).await["state"] == "paused" {
        assert_eq!(host.post(&format!("{path}/resume")).await.status, StatusCode::OK);
    }
    // What waits for its next try need not.
    for sink in ["mail", "bank"] {
        let answer = host.send(host.request(Method::POST, &format!("/v1/sinks/{sink}/retry"))).await;
        assert!(answer.status.is_success(), "{answer:?}");
    }
    until("all that the reactor was told is done", async || {
        let head = host.head().await;
        let waiting = host.json("/v1/outbox?state=pending&limit=1").await;
        let found = host.json(&path).await;
        assert_eq!(found["error"], Value::Null, "the reactor has no reason to stop");
        waiting["messages"] == json!([])
            && found["schedules"] == 0
            && found["checkpoint"] == json!(head)
            && host.head().await == head
    })
    .await;
}

/// What was done, as the log, the outbox and the receiver have it.
#[derive(Debug, Default)]
struct Done {
    /// By the position of the event that told it, and the stream.
    appends: Vec<(u64, String)>,
    /// By their names.
    schedules: Vec<String>,
    /// By the names of the calls, and whether they succeeded.
    answers: Vec<(String, bool)>,
    /// By the position of the event that told it, with the ids.
    messages: Vec<(u64, String)>,
    /// The same of calls.
    calls: Vec<(u64, String)>,
}

/// Checks that the reactor has done what the events of the log told it, each once, and nothing else; and that the receiver has heard of each
/// message and call, each time under the same id, and of those of one stream in their order.
pub(super) async fn check_effects(host: &Host, log: &[Value], received: &[Receipt]) {
    let mut told = Done::default();
    for event in log.iter().filter(|event| event["type"] == "Told") {
        let position = event["position"].as_u64().unwrap();
        for order in event["data"].as_array().unwrap() {
            let (kind, order) = order.as_object().unwrap().iter().next().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            match kind.as_str() {
                "append" => told.appends.push((position, text(&order["stream"]))),
                "schedule" => told.schedules.push(text(&order["name"])),
                "publish" => told.messages.push((position, String::new())),
                "call" => {
                    told.calls.push((position, String::new()));
                    told.answers.push((text(order), !is_refused(position)));
                }
                other => panic!("{other}"),
            }
        }
    }
    let mut done = Done::default();
    for event in log.iter().filter(|event| is_effect(event)) {
        let (stream, data) = (event["stream"].as_str().unwrap().to_owned(), &event["data"]);
        let name = || data["name"].as_str().unwrap().to_owned();
        match event["type"].as_str().unwrap() {
            "Done" => done.appends.push((data[0].as_u64().unwrap(), stream)),
            "ScheduleDue" => done.schedules.push(name()),
            "CallSucceeded" => done.answers.push((name(), true)),
            "CallFailed" => {
                assert_eq!(data["status"], 422, "{event}");
                done.answers.push((name(), false));
            }
            other => panic!("nobody has told the reactor to append {other}: {event}"),
        }
    }
    // In the order of the events, whoever committed them.
    assert_eq!(done.appends, told.appends, "appends");
    let schedules = told.schedules.len();
    same("schedules", done.schedules, told.schedules);
    same("answers", done.answers, told.answers);

    for message in outbox(host).await {
        let (position, id) = (message["position"].as_u64().unwrap(), message["id"].as_str().unwrap().to_owned());
        let state = if message["call"].is_null() || !is_refused(position) { "delivered" } else { "failed" };
        assert_eq!(message["state"], state, "{message}");
        if message["call"].is_null() { &mut done.messages } else { &mut done.calls }.push((position, id));
    }
    let positions = |messages: &[(u64, String)]| messages.iter().map(|(position, _)| *position).collect::<Vec<_>>();
    assert_eq!(positions(&done.messages), positions(&told.messages), "messages");
    assert_eq!(positions(&done.calls), positions(&told.calls), "calls");
    for (is_call, sent) in [(false, done.messages), (true, done.calls)] {
        let came = received.iter().filter(|receipt| receipt.is_call == is_call);
        let came: BTreeSet<(u64, String)> = came.map(|receipt| (receipt.position, receipt.id.clone())).collect();
        same("what was received", came.into_iter().collect(), sent);
    }
    check_order(received);
    let (of, times) = (told.messages.len() + told.calls.len(), received.len());
    println!("{of} messages and calls were sent {times} times; {} events, {schedules} schedules", told.appends.len());
    assert!(of > 0 && times > of, "no message was repeated, so nothing was in their way");
}

/// Checks that the first deliveries of the messages of one key are in the order of their events.
fn check_order(received: &[Receipt]) {
    let (mut seen, mut last) = (HashSet::new(), BTreeMap::new());
    for receipt in received.iter().filter(|receipt| !receipt.is_call) {
        if seen.insert(&receipt.id) {
            let before = last.insert(&receipt.key, receipt.position);
            assert!(before < Some(receipt.position), "{receipt:?} came after the one from {before:?}");
        }
    }
}

/// Fails if there are not the same things, each as often.
fn same<T: Clone + Debug + Ord>(what: &str, mut done: Vec<T>, mut told: Vec<T>) {
    done.sort_unstable();
    told.sort_unstable();
    if done != told {
        let (all, wanted): (BTreeSet<&T>, BTreeSet<&T>) = (done.iter().collect(), told.iter().collect());
        let twice: Vec<&[T]> = done.windows(2).filter(|two| two[0] == two[1]).collect();
        let missing: Vec<_> = wanted.difference(&all).collect();
        let more: Vec<_> = all.difference(&wanted).collect();
        panic!("{what}: missing {missing:?}, not told {more:?}, twice {twice:?}");
    }
}

/// All messages of the reactor, in the order in which they were enqueued.
async fn outbox(host: &Host) -> Vec<Value> {
    let (mut messages, mut after) = (Vec::new(), String::new());
    loop {
        let page = host.json(&format!("/v1/outbox?reactor={REACTOR}&limit=1000{after}")).await;
        messages.extend_from_slice(page["messages"].as_array().unwrap());
        match page["next"].as_u64() {
            Some(next) => after = format!("&after={next}"),
            None => return messages,
        }
    }
}
