//! What is counted of appends.

use std::{sync::Arc, time::Duration};

use hashbrown::HashMap;

use super::{
    counter::Counter,
    histogram::Histogram,
    names,
    register::Register,
    series::{OTHER, Series},
};

/// Types of events that have a series of their own.
const MAX_EVENT_TYPES: usize = 200;

/// How an append or an import fails.
const FAILURES: &[&str] =
    &["conflict", "condition_failed", "condition_timed_out", "invalid", "locked", "unavailable", "unknown", "refused"];

/// What is counted of appends.
#[derive(Debug)]
pub struct AppendMeasures {
    events: Arc<Series<Counter>>,
    conflicts: Counter,
    save_duration: Histogram,
    group_requests: Histogram,
    group_events: Histogram,
    commit_duration: Histogram,
    known_head: Counter,
    locked_head: Counter,
    head_wait: Histogram,
    retries: Counter,
    failures: Arc<Series<Counter>>,
}

impl AppendMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let groups = register.counters_of(names::APPEND_GROUPS, &["known_head", "locked_head"]);
        Self {
            events: register.counters(names::EVENTS_APPENDED, MAX_EVENT_TYPES),
            conflicts: register.counter(names::CONFLICTS),
            save_duration: register.histogram(names::SAVE_DURATION),
            group_requests: register.histogram(names::APPEND_GROUP_REQUESTS),
            group_events: register.histogram(names::APPEND_GROUP_EVENTS),
            commit_duration: register.histogram(names::APPEND_COMMIT_DURATION),
            known_head: groups.of(&["known_head"]),
            locked_head: groups.of(&["locked_head"]),
            head_wait: register.histogram(names::APPEND_HEAD_WAIT),
            retries: register.counter(names::APPEND_RETRIES),
            failures: register.counters_of(names::APPEND_FAILURES, FAILURES),
        }
    }

    /// An append is committed, so long after the log got it.
    pub fn saved(&self, time: Duration) {
        self.save_duration.observe(time);
    }

    /// An append or an import failed: one of the kinds of the table.
    pub fn failed(&self, kind: &str) {
        self.failures.of(&[kind]).inc();
        if matches!(kind, "conflict" | "condition_failed") {
            self.conflicts.inc();
        }
    }

    /// A group of so many requests is committed.
    pub fn group_committed(&self, requests: usize, time: Duration) {
        self.group_requests.observe_size(requests);
        self.commit_duration.observe(time);
    }

    /// A group was committed in one statement, at the head that was known.
    pub fn at_known_head(&self) {
        self.known_head.inc();
    }

    /// A group was committed under the lock of the head.
    pub fn at_locked_head(&self) {
        self.locked_head.inc();
    }

    /// The lock of the head was there after so long.
    pub fn waited_for_head(&self, time: Duration) {
        self.head_wait.observe(time);
    }

    /// A group could not be committed now.
    pub fn retried(&self) {
        self.retries.inc();
    }
}

/// Counts the events of one task by their types. It looks the counter of a type up once.
#[derive(Clone, Debug, Default)]
pub struct EventCounter {
    counters: HashMap<String, Counter>,
}

impl EventCounter {
    /// The events of a group, by their types, are committed.
    pub fn committed<'e>(&mut self, measures: &AppendMeasures, types: impl ExactSizeIterator<Item = &'e str>) {
        if types.len() > 0 {
            measures.group_events.observe_size(types.len());
        }
        let mut types = types.peekable();
        while let Some(event_type) = types.next() {
            let mut events = 1;
            while types.next_if_eq(&event_type).is_some() {
                events += 1;
            }
            self.counter(measures, event_type).inc_by(events);
        }
    }

    fn counter(&mut self, measures: &AppendMeasures, event_type: &str) -> &Counter {
        let is_known = self.counters.len() <= MAX_EVENT_TYPES || self.counters.contains_key(event_type);
        let event_type = if is_known { event_type } else { OTHER };
        self.counters.entry_ref(event_type).or_insert_with(|| measures.events.of(&[event_type]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_their_types() {
        let (measures, mut counter) = (AppendMeasures::new(&mut Register::default()), EventCounter::default());
        counter.committed(&measures, ["A", "A", "B", "A"].into_iter());
        counter.committed(&measures, [].into_iter());
        assert_eq!(["A", "B"].map(|event_type| measures.events.of(&[event_type]).get()), [3, 1]);
        assert_eq!(measures.group_events.count(), 1, "a group without events does not count");
    }

    #[test]
    fn what_one_task_remembers_is_bounded() {
        let (measures, mut counter) = (AppendMeasures::new(&mut Register::default()), EventCounter::default());
        for number in 0..3 * MAX_EVENT_TYPES {
            counter.committed(&measures, [number.to_string().as_str()].into_iter());
        }
        assert!(counter.counters.len() <= MAX_EVENT_TYPES + 2, "{}", counter.counters.len());
        assert_eq!(measures.events.of(&[OTHER]).get(), 2 * MAX_EVENT_TYPES as u64);
    }
}
