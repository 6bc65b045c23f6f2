//! Reactors and sinks at one time.

use std::collections::BTreeMap;

use crate::{
    cli::measures::{Measures, Sample},
    metrics::{Measure, names},
};

/// A reactor at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReactorMoment {
    pub(super) version: String,
    pub(super) state: String,
    pub(super) checkpoint: u64,
    pub(super) lag: u64,
    pub(super) lag_seconds: f64,
    pub(super) dead_letters: u64,
}

impl ReactorMoment {
    /// Whether it stands still until somebody does something.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "halted")
    }
}

/// A sink at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SinkMoment {
    /// Messages that wait for it.
    pub(super) pending: u64,
    /// How old the oldest of them is.
    pub(super) oldest_seconds: f64,
    /// Messages that have failed.
    pub(super) failed: u64,
    /// Of a sink that publishes the log: how many positions are left, and whether it cannot go on.
    pub(super) publication: Option<Publication>,
}

/// How far a sink is that publishes the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Publication {
    pub(super) lag: u64,
    pub(super) is_failing: bool,
}

/// The reactors, by name.
pub(super) fn reactors(measures: &Measures) -> BTreeMap<String, ReactorMoment> {
    let key = |sample: &Sample| sample.label("reactor").to_owned();
    let mut reactors: BTreeMap<String, ReactorMoment> = BTreeMap::new();
    for sample in measures.all(names::REACTOR_STATE).iter().filter(|sample| sample.value > 0.0) {
        let (version, state) = (sample.label("version").to_owned(), sample.label("state").to_owned());
        reactors.insert(key(sample), ReactorMoment { version, state, ..ReactorMoment::default() });
    }
    let mut fill = |measure: &Measure, set: fn(&mut ReactorMoment, f64)| {
        for sample in measures.all(measure) {
            if let Some(reactor) = reactors.get_mut(&key(sample)) {
                set(reactor, sample.value);
            }
        }
    };
    fill(names::REACTOR_CHECKPOINT, |reactor, value| reactor.checkpoint = value as u64);
    fill(names::REACTOR_LAG_POSITIONS, |reactor, value| reactor.lag = value as u64);
    fill(names::REACTOR_LAG_SECONDS, |reactor, value| reactor.lag_seconds = value);
    fill(names::REACTOR_DEAD_LETTERS, |reactor, value| reactor.dead_letters = value as u64);
    reactors
}

/// The sinks, by name: also those that nobody has made, if messages wait for them.
pub(super) fn sinks(measures: &Measures) -> BTreeMap<String, SinkMoment> {
    let mut sinks: BTreeMap<String, SinkMoment> = BTreeMap::new();
    let mut fill = |measure: &Measure, set: fn(&mut SinkMoment, f64)| {
        for sample in measures.all(measure) {
            set(sinks.entry(sample.label("sink").to_owned()).or_default(), sample.value);
        }
    };
    fill(names::OUTBOX_PENDING, |sink, value| sink.pending = value as u64);
    fill(names::OUTBOX_OLDEST, |sink, value| sink.oldest_seconds = value);
    fill(names::OUTBOX_FAILED, |sink, value| sink.failed = value as u64);
    fill(names::PUBLICATION_LAG, |sink, value| sink.publication.get_or_insert_default().lag = value as u64);
    fill(names::PUBLICATION_FAILING, |sink, value| {
        sink.publication.get_or_insert_default().is_failing = value > 0.0;
    });
    sinks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactors_and_sinks_are_read_from_measures() {
        let measures = Measures::of(
            "gnomon_reactor_state{reactor=\"delays\",version=\"2\",state=\"running\"} 1\n\
             gnomon_reactor_checkpoint_position{reactor=\"delays\"} 7\ngnomon_reactor_lag_positions{reactor=\"delays\"} 2\n\
             gnomon_reactor_lag_seconds{reactor=\"delays\"} 1.5\ngnomon_reactor_dead_letters{reactor=\"delays\"} 3\n\
             gnomon_outbox_pending_messages{sink=\"orders\"} 4\ngnomon_outbox_oldest_pending_seconds{sink=\"orders\"} 60\n\
             gnomon_outbox_failed_messages{sink=\"orders\"} 5\ngnomon_log_publication_lag_positions{sink=\"all\"} 6\n\
             gnomon_log_publication_failing{sink=\"all\"} 1\n",
        );
        let delays = ReactorMoment {
            version: "2".to_owned(),
            state: "running".to_owned(),
            checkpoint: 7,
            lag: 2,
            lag_seconds: 1.5,
            dead_letters: 3,
        };
        assert_eq!(reactors(&measures), BTreeMap::from([("delays".to_owned(), delays)]));
        let orders = SinkMoment { pending: 4, oldest_seconds: 60.0, failed: 5, publication: None };
        let publication = Some(Publication { lag: 6, is_failing: true });
        let all = SinkMoment { publication, ..SinkMoment::default() };
        assert_eq!(sinks(&measures), BTreeMap::from([("all".to_owned(), all), ("orders".to_owned(), orders)]));
    }
}
