//! Steps in the form that the host and the test kit use.

use gnomon_values::{
    limits::MAX_WANTED,
    names::{is_equal, is_event_type},
};

use super::{
    outcome::{Original, RawUpcasted},
    upcast::Upcast,
};
use crate::{Failure, event::RawEvent};

/// A step of an upcaster.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The type of event that it rewrites.
    pub event_type: &'static str,
    /// The schema version that it rewrites.
    pub from: u32,
    /// The schema version that it produces.
    pub to: u32,
    /// The types of the events that come out.
    pub produces: &'static [&'static str],
    pub(super) take: fn(RawEvent) -> Result<Vec<RawUpcasted>, Failure>,
}

impl Step {
    pub(super) const fn of<S: Upcast>() -> Self {
        Self { event_type: S::EVENT_TYPE, from: S::FROM, to: S::TO, produces: S::PRODUCES, take: take::<S> }
    }

    /// Whether the event has the type and version that the step rewrites.
    pub(crate) fn fits(&self, event: &RawEvent) -> bool {
        event.event_type == self.event_type && event.schema_version == self.from
    }
}

fn take<S: Upcast>(event: RawEvent) -> Result<Vec<RawUpcasted>, Failure> {
    let original = Original { metadata: event.metadata.clone().map(String::from), tags: event.tags.clone() };
    let event = event.read_data::<S::Old>().map_err(|unreadable| unreadable.1)?;
    let produced = S::upcast(event)?.finish(S::EVENT_TYPE, S::TO, &original)?;
    match produced.iter().find(|made| !S::PRODUCES.contains(&made.event_type.as_str())) {
        Some(made) => Err(Failure::new(format!(
            "the step makes an event of type `{}`, which is not among the types that it PRODUCES: {}",
            made.event_type,
            list(S::PRODUCES)
        ))),
        None => Ok(produced),
    }
}

fn list(types: &[&str]) -> String {
    let quoted: Vec<String> = types.iter().map(|event_type| format!("`{event_type}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

/// Checks the rules of the host at compile time.
pub(super) const fn check(steps: &[Step]) {
    let mut this = 0;
    while this < steps.len() {
        let step = &steps[this];
        assert!(
            is_event_type(step.event_type),
            "a step of the upcaster has an EVENT_TYPE that is empty or has control characters"
        );
        assert!(step.from > 0, "a step of the upcaster has FROM = 0: schema versions count from 1");
        assert!(
            step.to > step.from,
            "a step of the upcaster does not lead to a later schema version: TO must be above FROM"
        );
        check_produces(step.produces);
        let (mut newest, mut goes_on) = (step.to, false);
        let mut other = 0;
        while other < steps.len() {
            let that = &steps[other];
            if is_equal(step.event_type, that.event_type) {
                assert!(
                    other == this || that.from != step.from,
                    "two steps of the upcaster rewrite the same schema version of the same type"
                );
                goes_on = goes_on || that.from == step.to;
                newest = if that.to > newest { that.to } else { newest };
            }
            other += 1;
        }
        assert!(
            goes_on || step.to == newest,
            "a step of the upcaster ends at a schema version where no step begins, although others lead to a later version: add a \
             step between them"
        );
        this += 1;
    }
}

const fn check_produces(types: &[&str]) {
    assert!(types.len() <= MAX_WANTED, "a step of the upcaster PRODUCES more than 1000 types");
    let mut this = 0;
    while this < types.len() {
        assert!(
            is_event_type(types[this]),
            "a step of the upcaster PRODUCES a type that is empty or has control characters"
        );
        let mut other = 0;
        while other < this {
            assert!(!is_equal(types[this], types[other]), "a step of the upcaster names a type twice in PRODUCES");
            other += 1;
        }
        this += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `host/src/runtime/steps.rs` tests the same file.
    #[test]
    fn the_rules_are_those_of_the_host() {
        let golden = include_str!("../../values/tests/golden/steps.tsv");
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let (verdict, steps) = line.split_once('\t').unwrap();
            let steps: Vec<Step> = steps
                .split_whitespace()
                .map(|step| {
                    let (event_type, versions) = step.split_once(':').unwrap();
                    let (from, to) = versions.split_once('>').unwrap();
                    let (to, produces) = to.split_once('=').unwrap_or((to, event_type));
                    let name = |text: &str| &*String::leak(text.replace("\\n", "\n"));
                    let produces: Vec<&str> =
                        if produces.is_empty() { Vec::new() } else { produces.split(',').map(name).collect() };
                    Step {
                        event_type: name(event_type),
                        from: from.parse().unwrap(),
                        to: to.parse().unwrap(),
                        produces: produces.leak(),
                        take: |_| Ok(Vec::new()),
                    }
                })
                .collect();
            let accepted = std::panic::catch_unwind(|| check(&steps)).is_ok();
            assert_eq!(accepted, verdict == "ok", "{line}");
        }
    }
}
