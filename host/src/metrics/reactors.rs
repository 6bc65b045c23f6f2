//! What is counted of the work on reactors.

use std::{sync::Arc, time::Duration};

use super::{
    counter::{Counter, Gauge},
    histogram::Histogram,
    names,
    part::GaugePart,
    projector::HandlerMeasures,
    register::Register,
    series::Series,
};

/// Reactors that have series of their own.
const MAX_REACTORS: usize = 200;

const FAILURES: &[&str] = &["refused", "trapped", "timed_out", "out_of_memory", "broke_contract"];
const STOPS: &[&str] = &["asked", "lease_lost", "interrupted", "panicked", "halted", "failed"];
const EFFECTS: &[&str] = &["append", "message", "schedule"];
const STEPS: [&str; 3] = ["upcast", "react", "commit"];

/// What is counted of the work on reactors.
#[derive(Debug)]
pub struct ReactorMeasures {
    handlers: Arc<Series<Histogram>>,
    handled: Arc<Series<Counter>>,
    set_aside: Arc<Series<Counter>>,
    upcast: Histogram,
    react: Histogram,
    commit: Histogram,
    failures: Arc<Series<Counter>>,
    stops: Arc<Series<Counter>>,
    effects: Arc<Series<Counter>>,
    refused: Counter,
    schedules_due: Counter,
    works_on: Gauge,
}

/// What is counted of one reactor. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct OneReactorMeasures {
    handled: Counter,
    set_aside: Counter,
}

/// Effects that were committed together.
#[derive(Clone, Copy, Debug, Default)]
pub struct CarriedEffects {
    /// Appends, also those that were refused.
    pub appends: usize,
    /// Messages that went to the outbox.
    pub messages: usize,
    /// Schedules that were made or cancelled.
    pub schedules: usize,
}

impl ReactorMeasures {
    pub(super) fn new(register: &mut Register) -> Self {
        let steps = register.histograms(names::REACTOR_BATCH_DURATION, STEPS.len());
        let [upcast, react, commit] = STEPS.map(|step| steps.of(&[step]));
        Self {
            handlers: register.histograms(names::REACTOR_HANDLER_DURATION, MAX_REACTORS),
            handled: register.counters(names::REACTOR_EVENTS, MAX_REACTORS),
            set_aside: register.counters(names::REACTOR_SET_ASIDE_EVENTS, MAX_REACTORS),
            upcast,
            react,
            commit,
            failures: register.counters_of(names::REACTOR_MODULE_FAILURES, FAILURES),
            stops: register.counters_of(names::REACTOR_STOPS, STOPS),
            effects: register.counters_of(names::REACTOR_EFFECTS, EFFECTS),
            refused: register.counter(names::REACTOR_APPENDS_REFUSED),
            schedules_due: register.counter(names::REACTOR_SCHEDULES_DUE),
            works_on: register.gauge(names::REACTORS_HELD),
        }
    }

    /// Handles for the work on a reactor.
    #[must_use]
    pub fn reactor(&self, name: &str) -> OneReactorMeasures {
        OneReactorMeasures { handled: self.handled.of(&[name]), set_aside: self.set_aside.of(&[name]) }
    }

    /// Handles for calls of the module of a reactor.
    #[must_use]
    pub fn handler(&self, name: &str) -> HandlerMeasures {
        let (event, fold, upcast) = (self.handlers.of(&[name]), self.react.clone(), self.upcast.clone());
        HandlerMeasures { event, fold, upcast, failures: Arc::clone(&self.failures) }
    }

    /// A step was committed with its effects. So many of its appends were refused, and told of.
    pub fn committed(&self, time: Duration, effects: CarriedEffects, refused: usize) {
        self.commit.observe(time);
        let CarriedEffects { appends, messages, schedules } = effects;
        for (kind, count) in EFFECTS.iter().zip([appends, messages, schedules]) {
            if count > 0 {
                self.effects.of(&[kind]).inc_by(count as u64);
            }
        }
        self.refused.inc_by(refused as u64);
    }

    /// The events of so many schedules that were due are appended.
    pub fn schedules_due(&self, schedules: usize) {
        self.schedules_due.inc_by(schedules as u64);
    }

    /// Work on a reactor ended for one of the reasons of the table.
    pub fn stopped(&self, reason: &str) {
        self.stops.of(&[reason]).inc();
    }

    /// For the number of reactors that one engine works on.
    #[must_use]
    pub fn work(&self) -> GaugePart {
        GaugePart::of(&self.works_on)
    }
}

impl OneReactorMeasures {
    /// Events are handled and committed, some of them set aside.
    pub fn committed(&self, events: u64, set_aside: usize) {
        self.handled.inc_by(events);
        self.set_aside.inc_by(set_aside as u64);
    }
}
