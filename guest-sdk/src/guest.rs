//! The state of an instance: the rows that it caches between batches, and its panic hook.

use std::{cell::RefCell, panic, sync::Once};

use crate::{
    Projection, Reactor, Rows, Upcaster,
    batch::{self, FailureAt, Folding},
    bindings::imports::{self, Imports},
    current_event,
    event::RawEvent,
    log::{self, Level},
    reactor::answers::{Answer, Answers},
    upcaster::batch::{self as upcasting, RawUpcasted},
};

thread_local! {
    /// The rows that are cached from one batch to the next.
    static ROWS: RefCell<Option<Rows>> = const { RefCell::new(None) };
}

/// Handles a batch. The cached rows are kept only if the batch succeeds, since only then they equal the host's.
pub(crate) fn handle<P: Projection>(events: impl ExactSizeIterator<Item = RawEvent>) -> Result<(), FailureAt> {
    report_panics();
    let mut rows = ROWS.take().unwrap_or_else(|| Rows::new::<P::Tables>(Box::new(Imports)));
    batch::handle(&mut Folding::<P>::new(), &mut rows, events)?;
    ROWS.set(Some(rows));
    Ok(())
}

/// Answers a batch; see [`handle`].
pub(crate) fn react<R: Reactor>(events: impl ExactSizeIterator<Item = RawEvent>) -> Result<Vec<Answer>, FailureAt> {
    report_panics();
    let mut rows = ROWS.take().unwrap_or_else(|| Rows::new::<R::Tables>(Box::new(Imports)));
    let mut answers = Answers::<R>::new();
    batch::handle(&mut answers, &mut rows, events)?;
    ROWS.set(Some(rows));
    Ok(answers.answers)
}

/// Takes one step with each event of a batch.
pub(crate) fn upcast<U: Upcaster>(events: Vec<RawEvent>) -> Result<Vec<Vec<RawUpcasted>>, FailureAt> {
    report_panics();
    upcasting::upcast(U::STEPS, events, imports::turn_to)
}

/// Writes panics to the host's log at their event, before the module traps.
fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            imports::turn_to(current_event::get());
            let message = panic.payload_as_str().unwrap_or("a value that is not text");
            match panic.location() {
                Some(location) => log::write(Level::Error, format_args!("panicked at {location}: {message}")),
                None => log::write(Level::Error, format_args!("panicked: {message}")),
            }
        }));
    });
}
