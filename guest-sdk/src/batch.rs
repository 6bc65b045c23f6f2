//! One batch of events.

use crate::{Event, Events, Failure, Projection, Rows, current_event, event::RawEvent};

/// A failure, and the position of its event.
#[derive(Debug)]
pub(crate) struct FailureAt {
    pub(crate) position: u64,
    pub(crate) message: String,
}

/// Folds a batch into rows and writes them to the host.
///
/// The failure is that of the first event that cannot be handled, however events are split into batches: hence the events before
/// a malformed one are handled first.
pub(crate) fn handle<P: Projection>(rows: &mut Rows, raw: Vec<RawEvent>) -> Result<(), FailureAt> {
    let (events, malformed) = read::<P::Event>(raw);
    rows.prefetch(|prefetch| {
        for event in &events {
            current_event::set(event.position);
            P::prefetch(event, prefetch);
        }
    });
    for event in &events {
        rows.turn_to(event.position);
        P::handle(event, rows)
            .and_then(|()| rows.settle())
            .map_err(|failure| failed(event.position, &event.event_type, &failure))?;
    }
    match (malformed, events.last()) {
        (Some(failure), _) => Err(failure),
        (None, Some(last)) => rows.flush().map_err(|failure| failed(last.position, &last.event_type, &failure)),
        (None, None) => Ok(()),
    }
}

/// The events before the first malformed one, and the failure of that one.
fn read<E: Events>(raw: Vec<RawEvent>) -> (Vec<Event<E>>, Option<FailureAt>) {
    let mut events = Vec::with_capacity(raw.len());
    for raw in raw {
        current_event::set(raw.position);
        match raw.read() {
            Ok(event) => events.push(event),
            Err(unreadable) => {
                let (raw, failure) = *unreadable;
                return (events, Some(failed(raw.position, &raw.event_type, &failure)));
            }
        }
    }
    (events, None)
}

fn failed(position: u64, event_type: &str, failure: &Failure) -> FailureAt {
    FailureAt { position, message: format!("{event_type}: {failure}") }
}
