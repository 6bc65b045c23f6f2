//! What an author implements.

use crate::{Event, Events, Failure, Prefetch, Rows, Tables};

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

    /// The categories of streams whose events it is given; all if none is named. A category is what stands before the first
    /// `-` of a stream's name: of `user-v1-54` it is `user`. One that is empty or has a `-` does not compile.
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
    fn prefetch(event: &Event<Self::Event>, prefetch: &mut Prefetch) {
        let _ = (event, prefetch);
    }
}

/// Checks categories where they are compiled: no stream would be of one that is empty or has a `-`.
#[doc(hidden)]
pub const fn check_categories(categories: &[&str]) {
    let mut place = 0;
    while place < categories.len() {
        let name = categories[place].as_bytes();
        assert!(!name.is_empty(), "a category of `CATEGORIES` is empty");
        let mut at = 0;
        while at < name.len() {
            assert!(
                name[at] != b'-',
                "a category of `CATEGORIES` has a `-`; a category is what stands before the first `-` of a stream's name"
            );
            assert!(!name[at].is_ascii_control(), "a category of `CATEGORIES` has a control character");
            at += 1;
        }
        place += 1;
    }
}

/// What each row of a projection depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The events of one stream only.
    Stream,
}
