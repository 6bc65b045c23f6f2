//! What a host refuses fails in the kit too, at the same event and with the same message.

use gnomon_sdk::{
    Column, Tables,
    prelude::*,
    schema::{ColumnType, Value},
    testing::{TestEvent, event, given, json},
};
use serde::Deserialize;

use crate::complaint;

#[derive(Events)]
enum Told {
    #[event("Told")]
    Told(Step),
}

/// What the projection does at an event.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Puts this number of rows with one color.
    Put(i64),
    /// Puts a row with a text of this many bytes.
    Write(usize),
    /// Gets a row with a key of this many bytes.
    Get(usize),
    /// Finds all rows of the color.
    Find,
    /// Cannot be handled.
    Fail,
}

#[derive(Table)]
#[table("things")]
#[index("by_color", columns(color))]
struct Thing {
    #[key]
    thing: String,
    color: String,
    text: String,
}

struct Things;

impl Projection for Things {
    type Event = Told;
    type Tables = Thing;

    fn handle(event: &Event<Told>, rows: &mut Rows) -> Result<(), Failure> {
        let Told::Told(step) = &event.data;
        let thing = |thing: i64, text: String| Thing { thing: thing.to_string(), color: "red".into(), text };
        match step {
            Step::Put(count) => (0..*count).for_each(|number| rows.put(thing(number, String::new()))),
            Step::Write(bytes) => rows.put(thing(0, "x".repeat(*bytes))),
            Step::Get(bytes) => drop(rows.get::<Thing>(&"x".repeat(*bytes)).is_some()),
            Step::Find => drop(rows.find(Thing::by_color("red"))),
            Step::Fail => fail!("as it was told"),
        }
        Ok(())
    }
}

fn told(steps: impl IntoIterator<Item = serde_json::Value>) -> Vec<TestEvent> {
    steps.into_iter().map(|step| event("thing-1", "Told", step)).collect()
}

#[test]
fn a_row_that_is_too_large_fails_at_its_event_even_if_it_changes_again() {
    let limit = 1024 * 1024 - 3 * 8 - 1 - 3;
    let steps = |bytes: usize| told([json!({ "put": 3 }), json!({ "write": bytes }), json!({ "write": 1 })]);
    given::<Things>(steps(limit)).then_row(Thing { thing: "0".into(), color: "red".into(), text: "x".into() });
    given::<Things>(steps(limit + 1))
        .then_fails(2, "Told: table `things`: bytes of a row: 1048577; the limit max_row_bytes is 1048576");
}

#[test]
fn the_first_event_that_a_host_refuses_fails() {
    given::<Things>(told([json!({ "write": 2_000_000 }), json!("fail")])).then_fails(1, "bytes of a row");
    given::<Things>(told([json!("fail"), json!({ "write": 2_000_000 })])).then_fails(1, "as it was told");
}

#[test]
fn a_key_that_is_too_large_for_an_index_fails() {
    given::<Things>(told([json!({ "get": 2400 }), json!({ "get": 2401 })]))
        .then_fails(2, "the values of the key have 2401 bytes; an index holds at most 2400");
}

#[test]
fn a_find_returns_at_most_the_limit_of_rows() {
    given::<Things>(told([json!({ "put": 10_000 }), json!("find")])).rows::<Thing>();
    given::<Things>(told([json!({ "put": 10_001 }), json!("find")]))
        .then_fails(2, "Told: table `things`: rows of one find: 10001; the limit max_find_rows is 10000");
}

/// An instant with its own implementation of `Column`.
struct ByHand(i64);

impl Column for ByHand {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::Timestamp(self.0))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Timestamp(micros) => Ok(Self(micros)),
            other => fail!("{other} is not an instant"),
        }
    }
}

#[derive(Table)]
#[table("instants")]
struct At {
    #[key]
    key: i64,
    at: ByHand,
}

struct Instants;

impl Projection for Instants {
    type Event = Told;
    type Tables = At;

    fn handle(event: &Event<Told>, rows: &mut Rows) -> Result<(), Failure> {
        if let Told::Told(Step::Put(micros)) = event.data {
            rows.put(At { key: 1, at: ByHand(micros) });
        }
        Ok(())
    }
}

#[test]
fn an_instant_out_of_range_fails_at_its_event_with_any_implementation_of_column() {
    let last = 253_402_300_799_999_999_i64;
    let put = |micros: [i64; 3]| given::<Instants>(told(micros.map(|micros| json!({ "put": micros }))));
    assert_eq!(put([0, 1, last]).rows::<At>().len(), 1);
    put([0, last + 1, 1]).then_fails(
        2,
        "the row (1) of `instants`: column `at`: +10000-01-01T00:00:00Z is after 9999-12-31T23:59:59.999999Z, the last \
         instant that Gnomon keeps",
    );
}

#[derive(Table)]
#[table("a_table_with_a_name_that_is_as_long_as_a_name_can_be_in_sql")]
struct Long {
    #[key]
    key: i64,
}

struct Declares<T>(std::marker::PhantomData<T>);

impl<T: Tables + 'static> Projection for Declares<T> {
    type Event = Told;
    type Tables = T;

    fn handle(_: &Event<Told>, _: &mut Rows) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_declaration_that_a_host_refuses_fails_every_test() {
    let said = complaint(|| drop(given::<Declares<(Long, Thing, Thing)>>([]).rows::<Long>()));
    let name = "gnomon_sdk_a_table_with_a_name_that_is_as_long_as_a_name_can_be_in_sql";
    assert_eq!(
        said,
        format!(
            "a host refuses to upload this module:\n  table `{}`: its view in schema read_models: the name \
             `{name}` has 70 bytes; at most 63 are allowed\n  table `things` is declared twice",
            &name[11..]
        )
    );
}

#[test]
fn an_event_that_the_log_refuses_fails_every_test() {
    let said = |event: TestEvent| complaint(|| drop(given::<Things>([event]).rows::<Thing>()));
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(
        [
            said(event("", "Told", 1)),
            said(event("a\n", "Told", 1)),
            said(event("..", "Told", 1)),
            said(event("a", "", 1)),
            said(event("a".repeat(256), "Told", 1)),
            said(event("a", "T".repeat(256), 1)),
            said(event("a", "Told", 1).schema_version(0)),
            said(event("a", "Told", "x".repeat(1 << 20))),
            said(event("a", "Told", 1).metadata(nested(128))),
            said(event("a", "Told", 1).tagged("")),
            said(event("a", "Told", 1).tagged("course:c1").tagged("a\n")),
            said(event("a", "Told", 1).tagged("t".repeat(257))),
            said((0..33).fold(event("a", "Told", 1), |event, number| event.tagged(number.to_string()))),
        ],
        [
            "a log refuses event 1: the stream name must not be empty",
            "a log refuses event 1: the stream name \"a\\n\" contains the control character '\\n'",
            "a log refuses event 1: the stream name `..` cannot stand in a URL: clients take `.` and `..` for steps \
             between folders; give the stream another name, such as `..-1`",
            "a log refuses event 1: the event type must not be empty",
            "a log refuses event 1: bytes of the stream's name: 256; the limit max_stream_name_bytes is 255",
            "a log refuses event 1: bytes of its type: 256; the limit max_event_type_bytes is 255",
            "a log refuses event 1: the schema version 0 is not between 1 and 2147483647",
            "a log refuses event 1: bytes of data and metadata: 1048578; the limit max_event_bytes is 1048576",
            "a log refuses event 1: depth of its JSON: 128; the limit max_json_depth is 127",
            "a log refuses event 1: the tag must not be empty",
            "a log refuses event 1: the tag \"a\\n\" contains the control character '\\n'",
            "a log refuses event 1: bytes of a tag: 257; the limit max_tag_bytes is 256",
            "a log refuses event 1: its tags: 33; the limit max_event_tags is 32",
        ]
    );
}
