//! What happens at events that a module cannot handle.

use std::collections::HashSet;

use crate::{
    runtime::{Delivery, ModuleFailure},
    subscriptions::{DeadLetter, OnFailure},
};

/// What happens at events that the module cannot handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailureHandling {
    pub(crate) on_failure: OnFailure,
    /// Streams whose events wait behind one that failed. Those of events that are parked are added.
    pub(crate) parked_streams: HashSet<String>,
}

/// An event, and how a module failed at it.
#[derive(Debug)]
pub(crate) struct FailedEvent {
    pub(crate) event: Delivery,
    pub(crate) failure: ModuleFailure,
}

impl FailureHandling {
    /// Sets an event that a module failed at aside, or returns it if the work stops there.
    pub(crate) fn handle(
        &mut self,
        event: &Delivery,
        failure: ModuleFailure,
        set_aside: &mut Vec<DeadLetter>,
    ) -> Option<FailedEvent> {
        // An earlier event of its stream may have been parked in the meantime.
        if self.parked_streams.contains(&*event.stream) {
            set_aside.push(DeadLetter::waiting(event));
            return None;
        }
        match self.on_failure {
            OnFailure::Halt => return Some(FailedEvent { event: event.clone(), failure }),
            OnFailure::Skip => set_aside.push(DeadLetter::skipped(event, failure)),
            OnFailure::Park => {
                set_aside.push(DeadLetter::parked(event, failure));
                self.parked_streams.insert(event.stream.to_string());
            }
        }
        None
    }

    /// Sets aside the events of parked streams from index `from` on, and returns the others.
    pub(crate) fn set_parked_aside<'e>(
        &self,
        mut events: Vec<&'e Delivery>,
        from: usize,
        set_aside: &mut Vec<DeadLetter>,
    ) -> Vec<&'e Delivery> {
        if self.parked_streams.is_empty() {
            return events;
        }
        let behind = events.split_off(from);
        for event in behind {
            if !self.parked_streams.contains(&*event.stream) {
                events.push(event);
            } else if set_aside.last().is_none_or(|last| last.position != event.position) {
                // One dead letter for all events that upcasters made of one.
                set_aside.push(DeadLetter::waiting(event));
            }
        }
        events
    }
}
