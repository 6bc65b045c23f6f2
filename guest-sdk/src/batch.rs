//! One batch of events.

use std::marker::PhantomData;

use crate::{Event, Events, Failure, Prefetch, Projection, Rows, current_event, event::RawEvent};

/// A failure, and the position of its event.
#[derive(Debug)]
pub(crate) struct FailureAt {
    pub(crate) position: u64,
    pub(crate) message: String,
}

/// What is done with each event of a batch.
pub(crate) trait Handler {
    /// The events that are read.
    type Event: Events;

    /// Requests the rows that `handle` will read.
    fn prefetch(event: &Event<Self::Event>, prefetch: &mut Prefetch);

    /// Handles one event.
    fn handle(&mut self, event: &Event<Self::Event>, rows: &mut Rows) -> Result<(), Failure>;
}

/// Folds events into the rows of a projection.
pub(crate) struct Folding<P>(PhantomData<P>);

impl<P> Folding<P> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<P: Projection> Handler for Folding<P> {
    type Event = P::Event;

    fn prefetch(event: &Event<P::Event>, prefetch: &mut Prefetch) {
        P::prefetch(event, prefetch);
    }

    fn handle(&mut self, event: &Event<P::Event>, rows: &mut Rows) -> Result<(), Failure> {
        P::handle(event, rows)
    }
}

/// Events that are read, whose rows are fetched, and which are handled, before the next are: so many that they and their rows stay in the
/// caches of the processor. More where rows have to be fetched, since that is the faster the more there are.
const FEW: usize = 256;

/// Handles a batch, and writes the changed rows to the host.
///
/// The failure is that of the first event that cannot be handled, however events are split into batches: hence the events before
/// a malformed one are handled first.
pub(crate) fn handle<H: Handler>(
    handler: &mut H,
    rows: &mut Rows,
    raw: impl ExactSizeIterator<Item = RawEvent>,
) -> Result<(), FailureAt> {
    let (mut raw, mut size) = (raw, FEW);
    while raw.len() > 0 {
        let (events, malformed) = read::<H::Event>(raw.by_ref().take(size));
        let has_fetched = rows.prefetch(|prefetch| {
            for event in &events {
                current_event::set(event.position);
                H::prefetch(event, prefetch);
            }
        });
        size = if has_fetched { size * 4 } else { FEW };
        for event in &events {
            rows.turn_to(event.position);
            handler
                .handle(event, rows)
                .and_then(|()| rows.settle())
                .map_err(|failure| failed(event.position, &event.event_type, &failure))?;
        }
        if let Some(failure) = malformed {
            return Err(failure);
        }
        let is_last = raw.len() == 0;
        if let Some(last) = events.last()
            && (is_last || rows.are_too_many())
        {
            rows.flush().map_err(|failure| failed(last.position, &last.event_type, &failure))?;
        }
    }
    rows.end_batch();
    Ok(())
}

/// The events before the first malformed one, and the failure of that one.
fn read<E: Events>(raw: impl Iterator<Item = RawEvent>) -> (Vec<Event<E>>, Option<FailureAt>) {
    let mut events = Vec::with_capacity(raw.size_hint().0);
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
