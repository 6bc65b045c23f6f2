//! The trait that the author of a reactor implements.

use gnomon_values::{limits::MAX_SINKS, names};

use super::effects::Effects;
use crate::{Event, Events, Failure, Prefetch, Rows, Tables};

/// Answers events with effects: events for other streams, messages, calls, and events for itself at a later time.
///
/// A reactor is a pure function, as a projection is: from an event and its own rows to effects, which are data. The host commits rows and
/// effects together with the reactor's place in the log, and carries the effects out. A reactor begins at the end of the log and
/// is never run over old events again.
///
/// ```
/// use gnomon_sdk::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Events)]
/// enum FlightEvent {
///     #[event("FlightArrived")]
///     Arrived(Arrived),
/// }
///
/// #[derive(Deserialize)]
/// struct Arrived { delay: i64 }
///
/// #[derive(Serialize)]
/// struct Late { minutes: i64 }
///
/// /// Tells the passengers of a flight that it is late.
/// struct Delays;
///
/// impl Reactor for Delays {
///     type Event = FlightEvent;
///     type Tables = ();
///
///     const CATEGORIES: &'static [&'static str] = &["flight"];
///     const SINKS: &'static [&'static str] = &["passengers"];
///
///     fn react(event: &Event<FlightEvent>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
///         let FlightEvent::Arrived(arrived) = &event.data;
///         if arrived.delay > 120 {
///             let late = Late { minutes: arrived.delay };
///             effects.publish("passengers", Message::new("flight.late", &late).about(event.stream_id()));
///         }
///         Ok(())
///     }
/// }
///
/// gnomon_sdk::export_reactor!(Delays);
/// ```
///
/// There is no `self`, and no clock but [`event.time`](Event::time): what holds of the state of a
/// [`Projection`](crate::Projection) holds here. The test kit, `gnomon_sdk::testing::reactor`, detects effects that depend on anything but
/// events.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a reactor", note = "implement `Reactor` for it")]
pub trait Reactor: 'static {
    /// The events that it reads. With a variant for `ScheduleDue`, `CallSucceeded`, `CallFailed` or `AppendRefused` it gets those events of
    /// its own, whatever the categories and tags below.
    type Event: Events;

    /// The table of its own rows, or a tuple of tables, or `()` if it needs no memory. Only the reactor reads and writes these rows.
    type Tables: Tables;

    /// The categories of the streams that it reads; all but those of other reactors' own events if the list is empty. See
    /// [`Projection::CATEGORIES`](crate::Projection::CATEGORIES).
    const CATEGORIES: &'static [&'static str] = &[];

    /// The tags of the events that it reads; see [`Projection::TAGS`](crate::Projection::TAGS).
    const TAGS: &'static [&'static str] = &[];

    /// The names of the sinks that it publishes to or calls. What is behind a name is said to the host, not here. A name that is not made of
    /// `a` to `z`, `0` to `9` and `_`, or is there twice, does not compile.
    const SINKS: &'static [&'static str] = &[];

    /// Answers one event. Events come in the order of their positions, each once.
    ///
    /// # Errors
    /// The event cannot be handled. Nothing that was done for it is kept, and none of its effects is carried out.
    fn react(event: &Event<Self::Event>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure>;

    /// Requests the rows that [`react`](Self::react) will read; see [`Projection::prefetch`](crate::Projection::prefetch).
    fn prefetch(event: &Event<Self::Event>, prefetch: &mut Prefetch) {
        let _ = (event, prefetch);
    }
}

/// Checks sinks at compile time, by the rules of the host.
#[doc(hidden)]
pub const fn check_sinks(sinks: &[&str]) {
    assert!(sinks.len() <= MAX_SINKS, "there are more `SINKS` than a host allows");
    let mut index = 0;
    while index < sinks.len() {
        assert!(
            names::is_plain(sinks[index]),
            "a name of `SINKS` is not made of a to z, 0 to 9 and _, or begins with a digit, or is too long"
        );
        let mut before = 0;
        while before < index {
            assert!(!names::is_equal(sinks[before], sinks[index]), "a name of `SINKS` is there twice");
            before += 1;
        }
        index += 1;
    }
}
