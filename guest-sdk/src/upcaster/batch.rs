//! Upcasts a batch of events, each by one step.

pub(crate) use super::outcome::RawUpcasted;
use super::step::Step;
use crate::{Failure, batch::FailureAt, current_event, event::RawEvent};

/// Takes one step with each event. Calls `turn_to` with the position of each before.
pub(crate) fn upcast(
    steps: &[Step],
    events: Vec<RawEvent>,
    mut turn_to: impl FnMut(u64),
) -> Result<Vec<Vec<RawUpcasted>>, FailureAt> {
    let upcasted = events.into_iter().map(|event| {
        current_event::set(event.position);
        turn_to(event.position);
        let (position, name) = (event.position, format!("{} version {}", event.event_type, event.schema_version));
        take_step(steps, event).map_err(|failure| FailureAt { position, message: format!("{name}: {failure}") })
    });
    upcasted.collect()
}

fn take_step(steps: &[Step], event: RawEvent) -> Result<Vec<RawUpcasted>, Failure> {
    match steps.iter().find(|step| step.fits(&event)) {
        Some(step) => (step.take)(event),
        None => Err(Failure::new("this upcaster has no step for this type and version")),
    }
}
