//! A projection that does what its events say: each carries a list of operations.

mod by_hand;
mod operation;
pub mod summary;
mod tables;

use gnomon_sdk::prelude::*;

pub use self::{
    by_hand::{Days, LocalMicros, Micros, TimeMicros},
    operation::{KeyOf, Operation, Search},
    tables::{Everything, Found, KeyTypes, Pair, Shapes, State, longer},
};

/// Its events.
#[derive(Events)]
pub enum Doing {
    /// Does one operation after the other.
    #[event("Do")]
    Do(Vec<Operation>),
}

/// The projection.
#[derive(Debug)]
pub struct Interpreter;

impl Projection for Interpreter {
    type Event = Doing;
    type Tables = (Everything, Pair, KeyTypes, Shapes, Found);

    fn handle(event: &Event<Doing>, rows: &mut Rows) -> Result<(), Failure> {
        let Doing::Do(operations) = &event.data;
        (0..).zip(operations).try_for_each(|(number, operation)| operation.run(event, number, rows))
    }

    fn prefetch(event: &Event<Doing>, prefetch: &mut Prefetch) {
        let Doing::Do(operations) = &event.data;
        // Only some of them, so that rows are also fetched one by one.
        operations.iter().step_by(2).for_each(|operation| operation.prefetch(prefetch));
    }
}

gnomon_sdk::export!(Interpreter);
