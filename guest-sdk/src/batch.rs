//! One batch of events.

use crate::{Event, Events, Failure, Projection, Rows, at_hand, event::RawEvent};

/// A failure, and the event that it happened at.
#[derive(Debug)]
pub(crate) struct FailureAt {
    pub(crate) position: u64,
    pub(crate) message: String,
}

/// Folds a batch into rows and hands them to the host.
///
/// What fails is always the first event that cannot be handled, whichever way events fall into batches: hence those before
/// a malformed one are handled first.
pub(crate) fn handle<P: Projection>(rows: &mut Rows, raw: Vec<RawEvent>) -> Result<(), FailureAt> {
    let (events, malformed) = read::<P::Event>(raw);
    for event in &events {
        at_hand::set(event.position);
        P::prefetch(event, rows.keys());
    }
    rows.fetch_wanted();
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

/// The events up to the first malformed one, and what is wrong with that.
fn read<E: Events>(raw: Vec<RawEvent>) -> (Vec<Event<E>>, Option<FailureAt>) {
    let mut events = Vec::with_capacity(raw.len());
    for raw in raw {
        at_hand::set(raw.position);
        match raw.read() {
            Ok(event) => events.push(event),
            Err(unread) => {
                let (raw, failure) = *unread;
                return (events, Some(failed(raw.position, &raw.event_type, &failure)));
            }
        }
    }
    (events, None)
}

fn failed(position: u64, event_type: &str, failure: &Failure) -> FailureAt {
    FailureAt { position, message: format!("{event_type}: {failure}") }
}
