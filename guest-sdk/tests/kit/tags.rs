//! Tags of events: which events a projection gets by them, and how events of tests get theirs.

use gnomon_sdk::{
    prelude::*,
    testing::{TestEvent, given, read_json_lines, upcast_all},
};
use serde::{Deserialize, Serialize};

use crate::{Counter, Counting, complaint, counted, counter};

/// Counts for each tag of two courses.
struct ByCourse;

impl Projection for ByCourse {
    type Event = Counting;
    type Tables = Counter;

    const TAGS: &'static [&'static str] = &["course:c1", "course:c2"];

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        for tag in event.tags() {
            rows.get_or_insert_with::<Counter>(tag, || counter(tag, 0)).total += counted.by;
        }
        Ok(())
    }
}

fn tagged(by: i64, tags: &[&str]) -> TestEvent {
    tags.iter().fold(counted("a", by), |event, tag| event.tagged(*tag))
}

#[test]
fn a_projection_gets_events_that_have_one_of_its_tags() {
    given::<ByCourse>([tagged(1, &["course:c1"]), tagged(2, &[]), tagged(4, &["course:c3"])])
        .when([tagged(8, &["student:s7", "course:c2"]), tagged(16, &["course:c2", "course:c1", "course:c2"])])
        .then_rows([counter("course:c1", 17), counter("course:c2", 24), counter("student:s7", 8)]);
}

#[test]
fn lines_have_tags_and_may_have_their_stream_from_the_first_one() {
    let lines = r#"{"stream": "counter-a", "type": "Counted", "data": {"by": 1}, "tags": ["course:c1", "course:c1"]}
{"type": "Counted", "data": {"by": 2}, "tags": ["course:c2", "student:s7"]}"#;
    given::<ByStream>(read_json_lines(lines.as_bytes()))
        .then_rows([counter("counter-a of course:c1", 1), counter("course-c2 of course:c2, student:s7", 2)]);
    let said = complaint(|| drop(read_json_lines(&br#"{"type": "Counted", "data": {"by": 2}}"#[..])));
    assert_eq!(said, "line 1 is not an event: it has neither a `stream` nor `tags`");
}

/// Names counters after stream and tags.
struct ByStream;

impl Projection for ByStream {
    type Event = Counting;
    type Tables = Counter;

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        rows.put(counter(&format!("{} of {}", event.stream, event.tags().join(", ")), counted.by));
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct By {
    by: i64,
}

/// Gives events of one counter a tag.
struct Tags;

impl Upcast for Tags {
    const EVENT_TYPE: &'static str = "Counted";
    const FROM: u32 = 1;
    const TO: u32 = 2;

    type Old = By;
    type New = By;

    fn upcast(event: Event<By>) -> Result<Upcasted<By>, Failure> {
        let tag = format!("course:{}", event.stream_id());
        Ok(Upcasted::one(event.data).with_tags([tag]))
    }
}

#[test]
fn what_an_upcaster_makes_is_selected_by_the_tags_that_it_has_then() {
    let events = upcast_all::<Tags>([counted("c1", 1), counted("c2", 2).tagged("course:c1"), counted("c3", 4)]);
    given::<ByCourse>(events).then_rows([counter("course:c1", 1), counter("course:c2", 2)]);
}

/// Names tags that no event has.
struct Misnamed;

impl Projection for Misnamed {
    type Event = Counting;
    type Tables = Counter;

    const TAGS: &'static [&'static str] = &["", "a", "a"];

    fn handle(_: &Event<Counting>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn tags_that_a_host_refuses_fail_every_test() {
    let said = complaint(|| drop(given::<Misnamed>([]).rows::<Counter>()));
    assert_eq!(said, "a host refuses to upload this module:\n  the tag must not be empty\n  tag `a` is named twice");
}
