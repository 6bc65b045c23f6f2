//! The test kit, tested: what it must find out, what it must let pass, and what it says.

// Statics are found out where processes can be forked.
#[cfg(unix)]
mod impure;
mod limits;
mod messages;
mod numbers;
mod pure;
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

/// What a test that has to fail fails with.
fn complaint(test: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(test)) else { panic!("the test passed, and should not have") };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => panic!("the test panicked without a formatted message"),
    }
}
