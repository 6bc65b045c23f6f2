//! Reads the log after a run, and decides each append again, one after the other.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    alphabet::Facts,
    client::{Done, Outcome, Read, Record},
    request::Condition,
};

/// The log, as a query sees it.
struct Replay {
    /// The event at position n is at n - 1.
    log: Vec<Event>,
    /// Positions by ids.
    ids: HashMap<String, u64>,
    /// The newest version of each stream.
    versions: HashMap<String, u64>,
}

struct Event {
    id: String,
    stream: String,
    version: u64,
    facts: Facts,
}

/// How many appends fared how.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Appended on a condition.
    pub(super) held: usize,
    pub(super) appended_without_condition: usize,
    /// Refused by a condition.
    pub(super) failed: usize,
    pub(super) wrong_version: usize,
    pub(super) beyond_head: usize,
    /// Appended by a try without an answer, which a later try found.
    pub(super) found_again: usize,
    pub(super) unknown_and_in_the_log: usize,
    pub(super) unknown_and_not_in_the_log: usize,
    pub(super) repeated: usize,
    pub(super) reads: usize,
}

/// Holds the answers of a run against the log.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn check(log: &[Value], records: &[Record]) -> Result<Counts, String> {
    let mut wrong = Vec::new();
    let replay = Replay::new(log, &mut wrong);
    let mut counts = Counts::default();
    let mut written = 0;
    for done in records.iter().flat_map(|record| &record.appends) {
        match replay.check_append(done) {
            Ok(positions) => {
                written += positions.map_or(0, |_| done.request.events.len());
                counts.add(done, positions.is_some());
            }
            Err(problem) => wrong.push(format!("{problem}: {done:?}")),
        }
    }
    if wrong.is_empty() && written != log.len() {
        wrong.push(format!("the clients know {written} events of the log, which has {}", log.len()));
    }
    for read in records.iter().flat_map(|record| &record.reads) {
        counts.reads += 1;
        if let Err(problem) = replay.check_read(read) {
            wrong.push(format!("{problem}: {read:?}"));
        }
    }
    if wrong.is_empty() {
        return Ok(counts);
    }
    wrong.truncate(10);
    Err(wrong.join("\n"))
}

impl Counts {
    fn add(&mut self, done: &Done, is_in_log: bool) {
        self.repeated += usize::from(done.repeated);
        match &done.outcome {
            Outcome::Appended(_) => {
                self.found_again += usize::from(done.found_again);
                match done.request.condition {
                    Some(_) => self.held += 1,
                    None => self.appended_without_condition += 1,
                }
            }
            Outcome::ConditionFailed(..) => self.failed += 1,
            Outcome::WrongVersion(..) => self.wrong_version += 1,
            Outcome::BeyondHead => self.beyond_head += 1,
            Outcome::Unknown if is_in_log => self.unknown_and_in_the_log += 1,
            Outcome::Unknown => self.unknown_and_not_in_the_log += 1,
        }
    }
}

impl Replay {
    /// The log, in which positions and versions have no gaps, and each id is there once.
    fn new(log: &[Value], wrong: &mut Vec<String>) -> Self {
        let mut replay = Self { log: Vec::with_capacity(log.len()), ids: HashMap::new(), versions: HashMap::new() };
        for (event, position) in log.iter().zip(1..) {
            let (id, stream) = (event["id"].as_str().unwrap().to_owned(), event["stream"].as_str().unwrap().to_owned());
            let version = replay.versions.entry(stream.clone()).or_default();
            *version += 1;
            let version = *version;
            if event["position"] != json!(position) || event["version"] != json!(version) {
                wrong.push(format!("position {position} has {event}, and its stream {} events before it", version - 1));
            }
            if let Some(before) = replay.ids.insert(id.clone(), position) {
                wrong.push(format!("the event at {before} is in the log twice: {event}"));
            }
            replay.log.push(Event { id, stream, version, facts: Facts::of(event) });
        }
        replay
    }

    fn at(&self, position: u64) -> Option<&Event> {
        self.log.get(usize::try_from(position.checked_sub(1)?).unwrap())
    }

    /// The first event after a position that matches.
    fn first_match(&self, condition: &Condition) -> Option<u64> {
        let after = condition.after.unwrap_or_default();
        let events = self.log.iter().zip(1..).skip(usize::try_from(after).unwrap());
        events.into_iter().find(|(event, _)| condition.query.matches(&event.facts)).map(|(_, position)| position)
    }

    /// Checks an append and its answer; returns the position of its first event, if it is in the log.
    fn check_append(&self, done: &Done) -> Result<Option<u64>, String> {
        let position = self.check_events(done)?;
        let is_in_log = position.is_some();
        match &done.outcome {
            Outcome::Appended(_) if !is_in_log => {
                return Err("it was answered as appended, and is not in the log".into());
            }
            Outcome::ConditionFailed(position, stream, event_type) => {
                if is_in_log {
                    return Err("its condition failed, and it is in the log".into());
                }
                let condition = done.request.condition.as_ref().ok_or("it has no condition that could fail")?;
                let first = self.first_match(condition);
                if first != Some(*position) {
                    return Err(format!("the first event that matches is at {first:?}"));
                }
                let named = self.at(*position).filter(|event| event.stream == *stream);
                if named.is_none_or(|event| event.facts.type_name() != *event_type) {
                    return Err("the event is another one than it was called".into());
                }
            }
            Outcome::WrongVersion(stream, current) => {
                // A version that the stream had later would let in what was sent before.
                if is_in_log && !done.sent_before {
                    return Err("a stream had another version, and it is in the log".into());
                }
                let had = self.versions.get(stream).copied().unwrap_or_default() >= *current;
                let expected = done.request.expected.iter().find(|(name, _)| name == stream);
                if !had || expected.is_none_or(|(_, version)| version == current) {
                    return Err(format!("its stream was not at {current}"));
                }
            }
            Outcome::BeyondHead => {
                let after = done.request.condition.as_ref().and_then(|condition| condition.after);
                if is_in_log || after.is_none_or(|after| after <= self.log.len() as u64) {
                    return Err("nothing of it is beyond the head".into());
                }
            }
            Outcome::Appended(_) | Outcome::Unknown => {}
        }
        Ok(position)
    }

    /// Checks the events of an append, and that they could be appended where they are.
    fn check_events(&self, done: &Done) -> Result<Option<u64>, String> {
        let request = &done.request;
        let Some(first) = self.ids.get(&request.events[0].id).copied() else {
            return match request.events.iter().find(|event| self.ids.contains_key(&event.id)) {
                Some(event) => Err(format!("of its events, {} is in the log, and the first is not", event.id)),
                None => Ok(None),
            };
        };
        let mut places = Vec::new();
        for (sent, position) in request.events.iter().zip(first..) {
            let Some(event) = self.at(position).filter(|event| event.id == sent.id && event.stream == sent.stream)
            else {
                return Err(format!("position {position} has not its event {}", sent.id));
            };
            if event.facts != sent.facts.distinct() {
                return Err(format!("position {position} has {:?}", event.facts));
            }
            places.push((event.stream.clone(), event.version, position));
        }
        if let Outcome::Appended(answered) = &done.outcome
            && *answered != places
        {
            return Err(format!("its events are at {places:?}"));
        }
        for (stream, version) in &request.expected {
            let first = places.iter().find(|(name, ..)| name == stream).unwrap();
            if first.1 != version + 1 {
                return Err(format!("{stream} was at {}, and not at the expected version", first.1 - 1));
            }
        }
        if let Some(condition) = &request.condition {
            if let Some(after) = condition.after.filter(|after| *after >= first) {
                return Err(format!("it is at {first}, and its condition after {after}"));
            }
            if let Some(found) = self.first_match(condition).filter(|found| *found < first) {
                return Err(format!("it is at {first}, and its condition did not hold because of {found}"));
            }
        }
        Ok(Some(first))
    }

    /// A page has every event that matches, as far as it says that it was searched.
    fn check_read(&self, read: &Read) -> Result<(), String> {
        let Read { query, backward, after, limit, page } = read;
        let head = page["head"].as_u64().unwrap();
        let next = page["next"].as_u64();
        let found: Vec<u64> =
            page["events"].as_array().unwrap().iter().map(|event| event["position"].as_u64().unwrap()).collect();
        // What was searched, both ends included.
        let (from, to) = if *backward {
            (next.unwrap_or(1), after.map_or(head, |after| after.saturating_sub(1).min(head)))
        } else {
            (after.unwrap_or_default() + 1, next.ok_or("there is always a next page forward")?)
        };
        if to > head || head > self.log.len() as u64 {
            return Err(format!("it was searched up to {to}, with the head at {head}"));
        }
        let mut expected: Vec<u64> =
            (from..=to).filter(|position| query.matches(&self.at(*position).unwrap().facts)).collect();
        if *backward {
            expected.reverse();
        }
        if found != expected || found.len() > *limit {
            return Err(format!("between {from} and {to}, {expected:?} match"));
        }
        // Where nothing bounds it, it goes to the end.
        let is_whole = if *backward { next.is_none() } else { next == Some(head) };
        if found.len() < *limit && !is_whole {
            return Err("it ends early".into());
        }
        Ok(())
    }
}
