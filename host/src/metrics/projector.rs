//! What is counted of the work on builds.

use std::{sync::Arc, time::Duration};

use super::{
    counter::{Counter, Gauge},
    histogram::Histogram,
    names,
    part::GaugePart,
    register::Register,
    series::Series,
};

/// Projections that have series of their own.
const MAX_PROJECTIONS: usize = 200;

const FAILURES: &[&str] = &["refused", "trapped", "timed_out", "out_of_memory", "broke_contract"];
const STOPS: &[&str] =
    &["asked", "barrier", "lease_lost", "interrupted", "locked", "panicked", "halted", "failed", "finished"];
const STEPS: [&str; 4] = ["read", "upcast", "fold", "commit"];

/// What is counted of the work on builds.
#[derive(Debug)]
pub struct ProjectorMeasures {
    handlers: Arc<Series<Histogram>>,
    handled: Arc<Series<Counter>>,
    set_aside: Arc<Series<Counter>>,
    batch_events: Histogram,
    read: Histogram,
    upcast: Histogram,
    fold: Histogram,
    commit: Histogram,
    failures: Arc<Series<Counter>>,
    stops: Arc<Series<Counter>>,
    replays: Arc<Series<Counter>>,
    replay_duration: Histogram,
    leases_taken: Counter,
    leases_held: Gauge,
}

/// What is counted of one projection. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct ProjectionMeasures {
    handled: Counter,
    set_aside: Counter,
}

/// What is counted of the module of one projection. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct HandlerMeasures {
    pub(super) event: Histogram,
    pub(super) fold: Histogram,
    pub(super) upcast: Histogram,
    pub(super) failures: Arc<Series<Counter>>,
}

impl ProjectorMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let steps = register.histograms(names::BATCH_DURATION, STEPS.len());
        let [read, upcast, fold, commit] = STEPS.map(|step| steps.of(&[step]));
        Self {
            handlers: register.histograms(names::HANDLER_DURATION, MAX_PROJECTIONS),
            handled: register.counters(names::HANDLED_EVENTS, MAX_PROJECTIONS),
            set_aside: register.counters(names::SET_ASIDE_EVENTS, MAX_PROJECTIONS),
            batch_events: register.histogram(names::BATCH_EVENTS),
            read,
            upcast,
            fold,
            commit,
            failures: register.counters_of(names::MODULE_FAILURES, FAILURES),
            stops: register.counters_of(names::BUILD_STOPS, STOPS),
            replays: register.counters_of(names::REPLAYS_ENDED, &["true", "false"]),
            replay_duration: register.histogram(names::REPLAY_DURATION),
            leases_taken: register.counter(names::LEASES_TAKEN),
            leases_held: register.gauge(names::LEASES_HELD),
        }
    }

    /// Handles for the work on a build of a projection.
    #[must_use]
    pub fn projection(&self, name: &str) -> ProjectionMeasures {
        ProjectionMeasures { handled: self.handled.of(&[name]), set_aside: self.set_aside.of(&[name]) }
    }

    /// Handles for calls of the module of a projection.
    #[must_use]
    pub fn handler(&self, name: &str) -> HandlerMeasures {
        let (event, fold, upcast) = (self.handlers.of(&[name]), self.fold.clone(), self.upcast.clone());
        HandlerMeasures { event, fold, upcast, failures: Arc::clone(&self.failures) }
    }

    /// A batch of so many events was read from the log.
    pub fn read(&self, events: usize, time: Duration) {
        if events > 0 {
            self.batch_events.observe_size(events);
            self.read.observe(time);
        }
    }

    /// Rows and checkpoint were committed.
    pub fn committed(&self, time: Duration) {
        self.commit.observe(time);
    }

    /// Work on a build ended for one of the reasons of the table.
    pub fn stopped(&self, reason: &str) {
        self.stops.of(&[reason]).inc();
    }

    /// A build has caught up for the first time, so long after it was begun.
    pub fn replayed(&self, time: Duration) {
        self.replays.of(&["true"]).inc();
        self.replay_duration.observe(time);
    }

    /// A build stopped at an error before it has caught up.
    pub fn replay_failed(&self) {
        self.replays.of(&["false"]).inc();
    }

    /// The lease of a build was taken.
    pub fn lease_taken(&self) {
        self.leases_taken.inc();
    }

    /// For the number of builds that one projector works on.
    #[must_use]
    pub fn leases(&self) -> GaugePart {
        GaugePart::of(&self.leases_held)
    }
}

impl ProjectionMeasures {
    /// Events are handled and committed, some of them set aside.
    pub fn committed(&self, events: u64, set_aside: usize) {
        self.handled.inc_by(events);
        self.set_aside.inc_by(set_aside as u64);
    }
}

impl HandlerMeasures {
    /// The module handled events.
    pub fn handled(&self, events: usize, time: Duration) {
        self.event.observe_mean(time, events);
        self.fold.observe(time);
    }

    /// The module could not handle an event: one of the kinds of the table.
    pub fn failed(&self, kind: &str) {
        self.failures.of(&[kind]).inc();
    }

    /// Events went through the upcasters.
    pub fn upcasted(&self, time: Duration) {
        self.upcast.observe(time);
    }
}
