//! Steps as the host and the test kit see them.

use super::{outcome::RawUpcasted, upcast::Upcast};
use crate::{Failure, event::RawEvent};

/// A step of an upcaster.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The type of event that it rewrites.
    pub event_type: &'static str,
    /// The schema version that it rewrites.
    pub from: u32,
    /// The schema version that comes out.
    pub to: u32,
    pub(super) take: fn(RawEvent) -> Result<Vec<RawUpcasted>, Failure>,
}

impl Step {
    pub(super) const fn of<S: Upcast>() -> Self {
        Self { event_type: S::EVENT_TYPE, from: S::FROM, to: S::TO, take: take::<S> }
    }

    /// Whether it is for this event.
    pub(crate) fn fits(&self, event: &RawEvent) -> bool {
        event.event_type == self.event_type && event.schema_version == self.from
    }
}

fn take<S: Upcast>(event: RawEvent) -> Result<Vec<RawUpcasted>, Failure> {
    let metadata = event.metadata.clone();
    let event = event.read_data::<S::Old>().map_err(|unread| unread.1)?;
    S::upcast(event)?.finish(S::EVENT_TYPE, S::TO, metadata)
}

/// The same rules by which the host refuses an upcaster, told to its author by the compiler.
pub(super) const fn check(steps: &[Step]) {
    let mut this = 0;
    while this < steps.len() {
        let step = &steps[this];
        assert!(!step.event_type.is_empty(), "a step of the upcaster has an empty EVENT_TYPE");
        assert!(step.from > 0, "a step of the upcaster has FROM = 0: schema versions count from 1");
        assert!(
            step.to > step.from,
            "a step of the upcaster does not lead to a later schema version: TO must be above FROM"
        );
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
            "there is a gap in the upcaster: a step ends at a schema version where no other goes on, though some lead further"
        );
        this += 1;
    }
}

const fn is_equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut place = 0;
    while place < left.len() {
        if left[place] != right[place] {
            return false;
        }
        place += 1;
    }
    true
}
