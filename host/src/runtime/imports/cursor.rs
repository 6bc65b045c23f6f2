//! The import `cursor`: tells the host which event of its batch a module handles.

use wasmtime::component::HasSelf;

use super::import::Import;
use crate::{
    event_log::Position,
    runtime::{
        bindings::cursor::{self, Host},
        sandbox::{
            event_cursor::{CurrentEvent, EventCursor},
            stop::Stop,
        },
    },
};

/// The events of the current batch, and which of them the module handles.
#[derive(Debug)]
pub(in crate::runtime) struct Cursor {
    event: EventCursor,
    /// In the order of positions.
    events: Vec<CurrentEvent>,
    /// The index of the current event in `events`.
    current: usize,
}

/// The import; `state` borrows the cursor of an instance.
pub(in crate::runtime) fn import<T: 'static>(state: fn(&mut T) -> &mut Cursor) -> Import<T> {
    Import {
        interface: "gnomon:module/cursor",
        link: Box::new(move |linker| cursor::add_to_linker::<_, HasSelf<Cursor>>(linker, state)),
    }
}

impl Cursor {
    /// A cursor without events, which keeps `event` at the current one.
    pub(in crate::runtime) fn new(event: EventCursor) -> Self {
        Self { event, events: Vec::new(), current: 0 }
    }

    /// Begins a batch at its first event. A batch without events has no current one.
    pub(in crate::runtime) fn begin(&mut self, events: Vec<CurrentEvent>) {
        self.event.set(events.first().copied());
        self.events = events;
        self.current = 0;
    }

    /// The position of the current event.
    pub(in crate::runtime) fn position(&self) -> Option<Position> {
        self.event.position()
    }
}

impl Host for Cursor {
    fn at(&mut self, position: u64) -> wasmtime::Result<()> {
        let position = Position(position);
        let is_at = |index: &usize| self.events.get(*index).is_some_and(|event| event.position == position);
        // A module handles its batch in order, so it is usually the current event or the next.
        let index = [self.current, self.current + 1]
            .into_iter()
            .find(is_at)
            .or_else(|| self.events.binary_search_by_key(&position, |event| event.position).ok())
            .ok_or_else(|| {
                Stop::BadCall(format!("it called `cursor.at` with position {position}, which is not in the batch"))
            })?;
        self.current = index;
        self.event.set(Some(self.events[index]));
        Ok(())
    }
}
