//! Tests of the test kit: what it must detect, what it must accept, and its messages.

// Statics are detected only where processes can be forked.
#[cfg(unix)]
mod impure;
mod limits;
mod many_tables;
mod messages;
mod numbers;
mod pure;
mod reactors;
mod tags;
mod upcasters;

use std::panic::{AssertUnwindSafe, catch_unwind};

use gnomon_sdk::prelude::*;
use serde::Deserialize;

/// Something was counted.
#[derive(Events)]
enum Counting {
    #[event("Counted")]
    Counted(Counted),
}

#[derive(Deserialize)]
struct Counted {
    by: i64,
}

/// How much was counted by a counter.
#[derive(Table)]
#[table("counters")]
#[index("by_total", columns(total))]
struct Counter {
    #[key]
    counter: String,
    total: i64,
}

fn counter(counter: &str, total: i64) -> Counter {
    Counter { counter: counter.into(), total }
}

fn counted(counter: &str, by: i64) -> gnomon_sdk::testing::TestEvent {
    gnomon_sdk::testing::event(format!("counter-{counter}"), "Counted", gnomon_sdk::testing::json!({ "by": by }))
}

/// The message of a test that must fail.
fn complaint(test: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(test)) else { panic!("the test passed, but must fail") };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => panic!("the test panicked without a formatted message"),
    }
}
