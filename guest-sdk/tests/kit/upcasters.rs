//! Upcasters: the results of chains of steps, and the messages of the kit for tests that fail.

use std::sync::atomic::{AtomicI64, Ordering};

use gnomon_sdk::{
    prelude::*,
    testing::{TestEvent, event, given, json, upcast, upcast_all},
};
use serde::{Deserialize, Serialize};

use crate::{Counter, Counting, complaint, counter};

/// Version 1 has the amount as a text, which also selects what the step does.
#[derive(Deserialize)]
struct Text {
    by: String,
}

/// Version 2 has a number.
#[derive(Serialize, Deserialize)]
struct Number {
    by: i64,
}

struct TextToNumber;

impl Upcast for TextToNumber {
    const EVENT_TYPE: &'static str = "Counted";
    const FROM: u32 = 1;
    const TO: u32 = 2;
    const PRODUCES: &'static [&'static str] = &["Counted", "Told"];

    type Old = Text;
    type New = Number;

    fn upcast(event: Event<Text>) -> Result<Upcasted<Number>, Failure> {
        let text = event.data.by.as_str();
        log::info!("{text} at {}", event.time);
        Ok(match text {
            "nothing" => Upcasted::none(),
            "panic" => panic!("cannot count {text}"),
            "circle" => Upcasted::other("Told", 1, &()),
            "remember" => {
                static CALLS: AtomicI64 = AtomicI64::new(0);
                Number { by: CALLS.fetch_add(1, Ordering::Relaxed) }.into()
            }
            "undeclared" => Upcasted::other("Reset", 1, &()),
            "wrong version" => Upcasted::other("Counted", 3, &()),
            "new metadata" => Upcasted::one(Number { by: 1 })
                .with_metadata(&json!({ "user": "bob" }))
                .and(Number { by: 2 })
                .without_metadata()
                .and_other("Told", 7, &"three"),
            "new tags" => Upcasted::one(Number { by: 1 })
                .with_tags(event.tags().iter().map(String::as_str).chain(["student:s7", "course:c1"]))
                .and(Number { by: 2 })
                .without_tags()
                .and_other("Told", 7, &"three"),
            "no tag" => Upcasted::one(Number { by: 1 }).with_tags([""]),
            "long tag" => Upcasted::one(Number { by: 1 }).with_tags(["t".repeat(257)]),
            text if text.contains('+') => {
                let numbers: Result<Vec<Number>, _> =
                    text.split('+').map(|number| number.parse().map(|by| Number { by })).collect();
                numbers?.into_iter().collect()
            }
            text => Number { by: text.parse()? }.into(),
        })
    }
}

/// Rewrites `Told` back to `Counted`, which makes a circle.
struct ToldAgain;

impl Upcast for ToldAgain {
    const EVENT_TYPE: &'static str = "Told";
    const FROM: u32 = 1;
    const TO: u32 = 2;
    const PRODUCES: &'static [&'static str] = &["Counted"];

    type Old = ();
    type New = ();

    fn upcast(_: Event<()>) -> Result<Upcasted<()>, Failure> {
        Ok(Upcasted::other("Counted", 1, &json!({ "by": "circle" })))
    }
}

/// Version 3 has twice the amount.
struct Doubled;

impl Upcast for Doubled {
    const EVENT_TYPE: &'static str = "Counted";
    const FROM: u32 = 2;
    const TO: u32 = 3;

    type Old = Number;
    type New = Number;

    fn upcast(event: Event<Number>) -> Result<Upcasted<Number>, Failure> {
        Ok(Number { by: 2 * event.data.by }.into())
    }
}

gnomon_sdk::export_upcaster!(TextToNumber, Doubled, ToldAgain);

fn text(by: &str) -> TestEvent {
    event("counter-a", "Counted", json!({ "by": by }))
}

fn number(by: i64) -> TestEvent {
    event("counter-a", "Counted", json!({ "by": by })).schema_version(2)
}

#[test]
fn an_event_takes_every_step_of_its_type() {
    upcast::<TextToNumber>(text("5")).becomes([number(5)]);
    upcast::<(Doubled, TextToNumber)>(text("5")).becomes([number(10).schema_version(3)]);
    upcast::<(Doubled, TextToNumber)>(number(5)).becomes([number(10).schema_version(3)]);
    upcast::<TextToNumber>(number(5)).becomes([number(5)]);
    let other = || event("counter-a", "Reset", json!(null));
    upcast::<TextToNumber>(other()).becomes([other()]);
}

#[test]
fn an_event_becomes_none_or_several() {
    upcast::<TextToNumber>(text("nothing")).becomes_nothing();
    upcast::<(TextToNumber, Doubled)>(text("1+2")).becomes([number(2), number(4)].map(|event| event.schema_version(3)));
}

#[test]
fn metadata_is_kept_unless_a_step_says_otherwise() {
    let [ann, bob] = ["ann", "bob"].map(|user| json!({ "user": user }));
    upcast::<TextToNumber>(text("5").metadata(&ann)).becomes([number(5).metadata(&ann)]);
    upcast::<TextToNumber>(text("new metadata").metadata(&ann)).becomes([
        number(1).metadata(&bob),
        number(2),
        event("counter-a", "Told", "three").schema_version(7).metadata(&ann),
    ]);
}

#[test]
fn tags_are_kept_unless_a_step_says_otherwise() {
    let tagged = |event: TestEvent| event.tagged("course:c1");
    upcast::<TextToNumber>(tagged(text("5"))).becomes([tagged(number(5))]);
    upcast::<(TextToNumber, Doubled)>(tagged(text("5"))).becomes([tagged(number(10).schema_version(3))]);
    upcast::<TextToNumber>(tagged(text("new tags"))).becomes([
        // Their order does not matter.
        tagged(number(1).tagged("student:s7")),
        number(2),
        tagged(event("counter-a", "Told", "three").schema_version(7)),
    ]);
    upcast::<TextToNumber>(text("no tag"))
        .fails("Counted version 1: the new tags are invalid: the tag must not be empty");
    let said = complaint(|| upcast::<TextToNumber>(text("long tag")).becomes_nothing());
    assert!(
        said.ends_with(
            "gave Counted of counter-a tags that a host refuses: bytes of a tag: 257; the limit max_tag_bytes is 256"
        ),
        "{said}"
    );
    let said = complaint(|| upcast::<TextToNumber>(tagged(text("5"))).becomes([number(5)]));
    assert!(said.ends_with("found: \n  Counted version 2 {\"by\":5} tagged course:c1"), "{said}");
}

#[test]
fn a_failure_names_the_event_and_its_version() {
    upcast::<TextToNumber>(text("five")).fails("Counted version 1: invalid digit found in string");
    upcast::<TextToNumber>(event("counter-a", "Counted", json!({})))
        .fails("Counted version 1: its data does not fit Text: missing field `by`");
    upcast::<TextToNumber>(text("undeclared")).fails(
        "Counted version 1: the step makes an event of type `Reset`, which is not among the types that it PRODUCES: `Counted`, `Told`",
    );
    upcast::<(TextToNumber, Doubled)>(event("counter-a", "Counted", json!(0)).schema_version(2))
        .fails("Counted version 2: its data does not fit Number");
}

#[test]
fn a_difference_is_shown() {
    let said = complaint(|| upcast::<TextToNumber>(text("1+2")).becomes([number(1)]));
    let expected = "the result of upcasting Counted of counter-a is not as expected\n\
                    expected: \n  Counted version 2 {\"by\":1}\n\
                    found: \n  Counted version 2 {\"by\":1}\n  Counted version 2 {\"by\":2}";
    assert_eq!(said, expected);
    let said = complaint(|| upcast::<TextToNumber>(text("x")).becomes_nothing());
    assert!(said.starts_with("Counted of counter-a failed: Counted version 1: invalid digit"), "{said}");
    let said = complaint(|| upcast::<TextToNumber>(text("5")).fails("digit"));
    assert!(said.contains("expected Counted of counter-a to fail with \"digit\", but it became"), "{said}");
    let said = complaint(|| upcast::<TextToNumber>(text("5")).becomes([event("counter-b", "Counted", json!(0))]));
    assert!(said.contains("an upcaster cannot move an event to another stream"), "{said}");
}

#[test]
fn a_step_that_keeps_state_is_detected() {
    let said = complaint(|| upcast::<TextToNumber>(text("remember")).becomes([number(0)]));
    assert!(
        said.starts_with("the result of upcasting Counted of counter-a depends on what the upcaster did before"),
        "{said}"
    );
    assert!(
        said.contains("first: \n  Counted version 2 {\"by\":0}\nsecond: \n  Counted version 2 {\"by\":1}"),
        "{said}"
    );
}

#[test]
fn a_panic_names_its_event_and_location() {
    let said = complaint(|| upcast::<TextToNumber>(text("panic")).becomes_nothing());
    assert!(said.starts_with("Counted of counter-a stopped the upcaster: it panicked at "), "{said}");
    assert!(said.contains("upcasters.rs:") && said.ends_with("cannot count panic"), "{said}");
}

#[test]
fn the_kit_refuses_what_a_host_refuses() {
    let said = complaint(|| upcast::<(TextToNumber, ToldAgain)>(text("circle")).becomes_nothing());
    assert!(
        said.contains("the upcaster rewrites Counted of counter-a in a circle: it is `Counted` version 1 again"),
        "{said}"
    );
    let said = complaint(|| upcast::<TextToNumber>(text("wrong version")).becomes_nothing());
    let expected =
        "the upcaster rewrote `Counted` version 1 to the same type at version 3, but its step leads to version 2";
    assert!(said.contains(expected), "{said}");
}

struct Sums;

impl Projection for Sums {
    type Event = Counting;
    type Tables = Counter;

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        let name = event.stream_id();
        rows.get_or_insert_with::<Counter>(name, || counter(name, 0)).total += counted.by;
        Ok(())
    }
}

#[test]
fn a_projection_is_tested_with_the_results_of_an_upcaster() {
    let events = upcast_all::<TextToNumber>([text("5"), text("nothing"), number(3), text("1+2")]);
    given::<Sums>(events).then_rows([counter("a", 11)]);
    let said = complaint(|| drop(upcast_all::<TextToNumber>([text("5"), text("x")])));
    assert!(said.starts_with("Counted of counter-a failed: Counted version 1"), "{said}");
}
