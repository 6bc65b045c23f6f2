//! The trait that the author of a projection implements.

use gnomon_values::names::{CategoryFault, category_fault};

use crate::{Event, Events, Failure, Prefetch, Rows, Tables};

/// Folds events into the rows of tables.
///
/// There is no `self`: rows are the only memory of a projection. Statics and thread-locals are lost at times that a projection
/// cannot know, so rows must not depend on them; the test kit, `gnomon_sdk::testing`, detects it if they do.
///
/// Other state is hidden: the order in which a `HashMap` is iterated differs from map to map, so iterate a `BTreeMap` or sorted keys; a
/// sum of `f64` depends on its order, so add in the order of events; a clock in a test is not that of a host, so use
/// [`event.time`](Event::time). The README of this crate, "Hidden state", has the whole list, and what the test kit cannot detect.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a projection", note = "implement `Projection` for it")]
pub trait Projection: 'static {
    /// The events that it reads.
    type Event: Events;

    /// Its table, or a tuple of its tables.
    type Tables: Tables;

    /// The categories of the streams that it reads; all if the list is empty. A category is the part of a stream's name before
    /// the first `-`: `user` for `user-v1-54`. A category that is empty or contains a `-` does not compile.
    const CATEGORIES: &'static [&'static str] = &[];

    /// The tags of the events that it reads: events that have at least one of them, as upcasters have left them; all events if the list
    /// is empty. `&["course:c1"]` is a read model of that course alone. A tag that is empty or has more than 256 bytes is refused at
    /// upload.
    const TAGS: &'static [&'static str] = &[];

    /// What each of its rows depends on. With [`Partition::Stream`] the host replays streams side by side, on all cores, each in one instance
    /// of the module. It must be true: a row that two streams change may then lack what one of them did. The test kit checks it.
    const PARTITIONED_BY: Option<Partition> = None;

    /// Folds one event into the rows. Events come in the order of their positions, each once.
    ///
    /// # Errors
    /// The event cannot be handled. Nothing that was done for it is kept.
    fn handle(event: &Event<Self::Event>, rows: &mut Rows) -> Result<(), Failure>;

    /// Requests the rows that [`handle`](Self::handle) will read. They are fetched together with those of the other events of
    /// the batch, in one call for each table. A row that is not requested here is fetched when it is read, each with a call to
    /// the database of its own. Requesting a row that is not needed costs only its fetch.
    fn prefetch(event: &Event<Self::Event>, prefetch: &mut Prefetch) {
        let _ = (event, prefetch);
    }
}

/// Checks categories at compile time, by the rule of the host.
#[doc(hidden)]
pub const fn check_categories(categories: &[&str]) {
    let mut index = 0;
    while index < categories.len() {
        match category_fault(categories[index]) {
            None => {}
            Some(CategoryFault::Empty) => panic!("a category of `CATEGORIES` is empty"),
            Some(CategoryFault::Dash) => panic!(
                "a category of `CATEGORIES` contains a `-`; a category is the part of a stream's name before the first `-`"
            ),
            Some(CategoryFault::Control) => panic!("a category of `CATEGORIES` contains a control character"),
        }
        index += 1;
    }
}

/// What each row of a projection depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// The events of one stream only.
    Stream,
}
