//! The log after a run: what was answered, what a reactor has appended, and nothing else.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{effects::is_effect, record::Record, writers::Written};
use crate::support::Host;

/// Reads the whole log, which must hold what the writers were answered, each event once, and nothing else but what a
/// reactor has appended.
///
/// # Errors
/// What is wrong with it, all of it. What is lost or there twice is noted.
pub(super) async fn check_log(host: &Host, written: &[Written], record: &mut Record) -> Result<Vec<Value>, String> {
    let log = read(host).await;
    let mut wrong = Vec::new();
    let mut last = None;
    for (event, position) in log.iter().zip(1..) {
        if event["position"] != json!(position) {
            wrong.push(format!("position {position} has {event}"));
        }
        let stamp = stamp(event["recorded_at"].as_str().unwrap_or_default());
        if last.as_ref().is_some_and(|last| stamp < *last) {
            wrong.push(format!("a time stamp goes back: {last:?}, and then {event}"));
        }
        last = Some(stamp);
    }
    let mut answered: HashMap<&str, &Written> = written.iter().map(|written| (written.id.as_str(), written)).collect();
    let mut found: HashMap<&str, usize> = HashMap::new();
    let mut doubled = Vec::new();
    for event in &log {
        let id = event["id"].as_str().unwrap_or_default();
        let written = answered.remove(id);
        if let Some(step) = found.get(id) {
            doubled.push(*step);
            wrong.push(format!("an event is in the log twice: {event}"));
        } else if let Some(Written { stream, version, position, event_type, data, step, .. }) = written {
            found.insert(id, *step);
            let in_log = json!([event["stream"], event["version"], event["position"], event["type"], event["data"]]);
            let answer = json!([stream, version, position, event_type, data]);
            if in_log != answer {
                wrong.push(format!("at step {step} a writer was answered {answer}, and the log has {in_log}"));
            }
        } else if !is_effect(event) {
            wrong.push(format!("no writer wrote this: {event}"));
        }
    }
    let lost: Vec<usize> = answered.values().map(|written| written.step).collect();
    let gone = answered.values().map(|Written { id, position, step, .. }| {
        format!("the event {id} was answered at step {step} with position {position}, and is not in the log")
    });
    wrong.extend(gone);
    record.add_events(&lost, &doubled);
    if wrong.is_empty() {
        return Ok(log);
    }
    wrong.truncate(20);
    Err(wrong.join("\n"))
}

async fn read(host: &Host) -> Vec<Value> {
    let (mut log, mut after) = (Vec::new(), json!(0));
    loop {
        let page = host.json(&format!("/v1/events?after={after}&limit=1000")).await;
        let events = page["events"].as_array().unwrap();
        if events.is_empty() {
            assert_eq!(page["head"], after);
            return log;
        }
        log.extend_from_slice(events);
        after = page["next"].clone();
    }
}

/// A time as texts that are in the order of time: zeros at the end of its fraction are left out.
fn stamp(time: &str) -> (String, String) {
    let (seconds, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
    (seconds.to_owned(), format!("{fraction:0<6}"))
}
