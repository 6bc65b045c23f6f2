//! What an author implements.

use crate::{Event, Events, Failure, Keys, Rows, Tables};

/// Folds events into the rows of tables.
///
/// There is no `self`: rows are the only memory that a projection has. Statics, thread-locals and the like last for an
/// unknown time and make the read model depend on it, so they must not matter; the [test kit](crate::testing) finds them
/// out.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a projection", note = "implement `Projection` for it")]
pub trait Projection: 'static {
    /// The events that it reads.
    type Event: Events;

    /// Its table, or a tuple of its tables.
    type Tables: Tables;

    /// The categories of streams whose events it is given; all if none is named.
    const CATEGORIES: &'static [&'static str] = &[];

    /// What each of its rows depends on, if that can be said: it lets the host replay parts on their own and side by side.
    const PARTITIONED_BY: Option<Partition> = None;

    /// Folds one event into the rows. Events come in the order of their positions, each once.
    ///
    /// # Errors
    /// The event cannot be handled. Nothing that was done for it is kept.
    fn handle(event: &Event<Self::Event>, rows: &mut Rows) -> Result<(), Failure>;

    /// Names the rows that [`handle`](Self::handle) will ask for. They are fetched with those of the other events of the
    /// batch, in one call for each table; a row that is not named here is fetched when it is asked for, which costs a call
    /// to the database for each. Naming a row that is not needed does no harm beyond fetching it.
    fn prefetch(event: &Event<Self::Event>, keys: &mut Keys) {
        let _ = (event, keys);
    }
}

/// What each row of a projection depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The events of one stream only.
    Stream,
}
