//! The import `cursor`: which event of its batch a module is at.

use wasmtime::component::HasSelf;

use super::import::Import;
use crate::runtime::{
    bindings::cursor::{self, Host},
    sandbox::{event_cursor::EventCursor, stop::Stop},
};

/// The events of the current batch.
#[derive(Debug)]
pub(in crate::runtime) struct Cursor {
    event: EventCursor,
    /// Position and time of each event, in the order of positions.
    events: Vec<(u64, i64)>,
    /// The current event, by its index in `events`.
    current: usize,
}

/// The import; `state` finds the cursor of an instance.
pub(in crate::runtime) fn import<T: 'static>(state: fn(&mut T) -> &mut Cursor) -> Import<T> {
    Import {
        interface: "gnomon:module/cursor",
        link: Box::new(move |linker| cursor::add_to_linker::<_, HasSelf<Cursor>>(linker, state)),
    }
}

impl Cursor {
    /// A cursor without events; `event` is told where it is.
    pub(in crate::runtime) fn new(event: EventCursor) -> Self {
        Self { event, events: Vec::new(), current: 0 }
    }

    /// Begins a batch of events, by position and time.
    pub(in crate::runtime) fn begin(&mut self, events: Vec<(u64, i64)>) {
        let (position, time) = events.first().copied().unwrap_or_default();
        self.event.set(position, time);
        self.events = events;
        self.current = 0;
    }

    /// The position of the current event.
    pub(in crate::runtime) fn position(&self) -> u64 {
        self.event.position()
    }
}

impl Host for Cursor {
    fn at(&mut self, position: u64) -> wasmtime::Result<()> {
        let is_at = |index: &usize| self.events.get(*index).is_some_and(|(other, _)| *other == position);
        // A module goes through its batch in order, so it is this one or the next.
        let index = [self.current, self.current + 1]
            .into_iter()
            .find(is_at)
            .or_else(|| self.events.binary_search_by_key(&position, |(other, _)| *other).ok())
            .ok_or_else(|| Stop::BadCall(format!("it turned to position {position}, which is not in the batch")))?;
        self.current = index;
        self.event.set(position, self.events[index].1);
        Ok(())
    }
}
