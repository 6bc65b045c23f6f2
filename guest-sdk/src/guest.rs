//! The life of a module in its host: its memory between batches, and its last words.

use std::{cell::RefCell, panic};

use crate::{
    Projection, Rows, at_hand,
    batch::{self, FailureAt},
    bindings,
    event::RawEvent,
    log::{self, Level},
};

thread_local! {
    /// The rows that are kept from one batch to the next.
    static ROWS: RefCell<Option<Rows>> = const { RefCell::new(None) };
}

/// Handles a batch. Rows are kept only if all went well: they equal those of the host then.
pub(crate) fn handle<P: Projection>(events: Vec<RawEvent>) -> Result<(), FailureAt> {
    let mut rows = ROWS.take().unwrap_or_else(|| {
        report_panics();
        Rows::new::<P::Tables>(Box::new(bindings::Imports))
    });
    batch::handle::<P>(&mut rows, events)?;
    ROWS.set(Some(rows));
    Ok(())
}

/// Writes a panic to the host's log, at the event where it happened, before the module traps.
fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        bindings::turn_to(at_hand::get());
        let message = panic.payload_as_str().unwrap_or("something that is no text");
        match panic.location() {
            Some(location) => log::write(Level::Error, format_args!("panicked at {location}: {message}")),
            None => log::write(Level::Error, format_args!("panicked: {message}")),
        }
    }));
}
