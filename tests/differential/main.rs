//! The test kit and the host fold the same events to the same rows.
//!
//! Random events tell one projection (`guest`) what to do with its rows. It is folded natively in the kit, as a component in
//! hosts, and by a plain model that knows neither (`model.rs`), in batches of several sizes, live and replayed. Rows, the
//! events that cannot be handled, and what is said of them must be the same; so must those of the past, at random positions.
//!
//! `GNOMON_TEST_DIFFERENTIAL=<cases>` runs so many cases, and `GNOMON_TEST_SEED=<seed>` begins with another than the first; a
//! failure names its seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what fails"
)]

mod cells;
mod generate;
#[path = "../host/mod.rs"]
mod host;
mod model;
mod on_host;
mod over_http;
mod random;

use std::{collections::BTreeMap, env};

use differential_guest::Interpreter;
use gnomon_sdk::testing::{event, fold};

use crate::{
    generate::{Case, Told},
    model::Model,
    on_host::FoldingHost,
    random::Random,
};

/// Rows by table, each as its cells in words, sorted.
type Rows = BTreeMap<String, Vec<Vec<String>>>;

/// What a fold came to.
struct Outcome {
    rows: Rows,
    failures: Vec<(u64, String)>,
}

/// What it has to come to.
struct Expected {
    rows: Rows,
    /// Positions, and the ends of what may be said of each: one event can do several things that cannot be done.
    failures: Vec<(u64, Vec<String>)>,
}

const BATCHES: [usize; 4] = [1, 7, 251, 8192];

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}: not a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn kit_host_and_model_come_to_the_same() {
    let component = test_support::component("differential-guest");
    let first = number("GNOMON_TEST_SEED", 1);
    for seed in first..first + number("GNOMON_TEST_DIFFERENTIAL", 4) {
        let case = Case::random(seed);
        eprintln!("seed {seed}: {} events, {}", case.events.len(), if case.skip { "skip" } else { "halt" });
        let expected = Model::fold(&case);
        let in_kit = BATCHES.map(|batch| in_kit(&case, batch));
        for (batch, found) in BATCHES.iter().zip(&in_kit) {
            let what = format!("seed {seed}: the kit in batches of {batch}");
            assert_same(&expected, found, &what);
            assert_eq!(in_kit[0].failures, found.failures, "{what}");
        }
        // In turn, so that a short run sees all of them as well.
        let sizes = if first == seed { &BATCHES[..] } else { &BATCHES[usize::try_from(seed % 4).unwrap()..][..1] };
        for &batch in sizes {
            let host = FoldingHost::start(batch).await;
            for (how, found) in ["live", "replaying"].into_iter().zip(host.fold(&case, &component).await) {
                let what = format!("seed {seed}: a host {how} in batches of {batch}");
                assert_same(&expected, &found, &what);
                for ((position, words), (_, kit)) in found.failures.iter().zip(&in_kit[0].failures) {
                    // The kit names the event's type where the host names its position.
                    assert!(kit.ends_with(words), "{what}: event {position}: {words}\nin the kit: {kit}");
                }
            }
            // Random positions of the past, and the last one.
            let mut random = Random::new(seed);
            for position in [random.below(case.events.len()), random.below(case.events.len()), case.events.len()] {
                let what = format!("seed {seed}: the past of position {position} in batches of {batch}");
                assert_same(&Model::fold_first(&case, position), &host.past(position).await, &what);
            }
            host.stop().await;
        }
    }
}

fn in_kit(case: &Case, batch: usize) -> Outcome {
    let events = case.events.iter().map(|Told { stream, operations, tags }| {
        tags.iter().fold(event(stream, "Do", operations), |event, tag| event.tagged(*tag))
    });
    let folded = fold::<Interpreter>(events, batch, case.skip);
    let rows = folded.rows.into_iter().map(|(table, rows)| {
        let mut rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(cells::of_kit).collect()).collect();
        rows.sort();
        (table, rows)
    });
    Outcome { rows: rows.collect(), failures: folded.failures }
}

fn assert_same(expected: &Expected, found: &Outcome, what: &str) {
    let positions: (Vec<u64>, Vec<u64>) = (
        expected.failures.iter().map(|(position, _)| *position).collect(),
        found.failures.iter().map(|(position, _)| *position).collect(),
    );
    assert_eq!(positions.0, positions.1, "{what}: expected {:?}\nfound {:?}", expected.failures, found.failures);
    for ((position, reasons), (_, found)) in expected.failures.iter().zip(&found.failures) {
        let is_expected = reasons.iter().any(|reason| found.ends_with(reason.as_str()));
        assert!(is_expected, "{what}: event {position}: expected {reasons:?}\nfound {found}");
    }
    for (table, expected) in &expected.rows {
        let found = &found.rows[table];
        for (expected, found) in expected.iter().zip(found) {
            assert_eq!(expected, found, "{what}: {table}");
        }
        assert_eq!(expected.len(), found.len(), "{what}: rows of {table}");
    }
}
