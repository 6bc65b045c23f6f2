//! Reactors: what they answer, and what is refused.

use std::time::Duration;

use gnomon::{
    event_log::{Position, StreamVersion},
    read_model::{Identifier, Value},
    runtime::{
        BatchError, Delivery, Digest, Effect, EffectsOf, FailureKind, Module, ModuleFailure, ModuleLabel, Reaction,
        ReactorModule, RuntimeLimits, numbered,
    },
};
use gnomon_values::Instant;
use test_support::guest;

use crate::run::{LIMITS, NoRows, TIME, event, note, runtime};

fn load(name: &str, limits: RuntimeLimits) -> ReactorModule {
    let bytes = guest(name);
    let label = ModuleLabel { name: Identifier::new("test").unwrap(), version: None };
    match runtime(limits).load(label, &Digest::of(&bytes), &bytes).unwrap() {
        Module::Reactor(reactor) => reactor,
        other => panic!("it is {}", other.descriptor().kind().with_article()),
    }
}

fn react(name: &str, limits: RuntimeLimits, events: &[Delivery]) -> Result<Reaction, BatchError> {
    load(name, limits).instantiate(Position(1)).unwrap().react(events, Box::new(NoRows))
}

/// Two events of which notes are taken, and a trigger at position 5.
fn told(word: &str) -> [Delivery; 3] {
    [event(1, "Fine", "{}"), event(3, "Fine", "{}"), event(5, "Trigger", &format!("\"{word}\""))]
}

fn failure(word: &str) -> ModuleFailure {
    failure_with(LIMITS, &told(word))
}

fn failure_with(limits: RuntimeLimits, events: &[Delivery]) -> ModuleFailure {
    match react("reacts_as_told", limits, events) {
        Err(BatchError::Module(failure)) => *failure,
        Err(other) => panic!("not the module's fault: {other}"),
        Ok(reaction) => panic!("nothing failed: {reaction:?}"),
    }
}

/// The kinds of the effects of a position.
fn shown(effects: &[EffectsOf]) -> Vec<String> {
    let shown = numbered(effects).map(|numbered| {
        let effect = match numbered.effect {
            Effect::Append { stream, expected, events } => {
                let events: Vec<String> = events
                    .iter()
                    .map(|event| {
                        let metadata = event.metadata.as_ref().map_or("", |metadata| metadata.as_str());
                        let tags: Vec<&str> = event.tags.iter().map(|tag| tag.as_str()).collect();
                        let (event_type, version, data) =
                            (&event.event_type, event.schema_version, event.data.as_str());
                        format!("{event_type} {version} {data} {metadata} {tags:?}")
                    })
                    .collect();
                format!("append {stream} {expected} {events:?}")
            }
            Effect::Publish { sink, message_type, subject, data } => {
                format!("publish {sink} {message_type} {subject:?} {}", data.as_str())
            }
            Effect::Call { sink, name, data } => format!("call {sink} {name} {}", data.as_str()),
            Effect::Schedule { name, at, data } => format!("schedule {name} {at} {}", data.as_str()),
            Effect::Cancel { name } => format!("cancel {name}"),
        };
        format!("{}/{} {effect}", numbered.position, numbered.number)
    });
    shown.collect()
}

#[test]
fn every_kind_of_effect_comes_with_its_event() {
    let Reaction { writes, effects } = react("reacts_as_told", LIMITS, &told("every kind")).unwrap();
    assert_eq!((note(&writes, 1), note(&writes, 3)), ("Fine", "Fine"));
    let noted = r#"["Noted 1 {}  []", "Noted 2 {} {\"by\":1} [\"note:1\"]"]"#;
    assert_eq!(
        shown(&effects),
        [
            r#"1/0 append note-1 any ["Noted 1 {\"position\":1}  []"]"#.to_owned(),
            r#"3/0 append note-1 any ["Noted 1 {\"position\":3}  []"]"#.to_owned(),
            format!("5/0 append note-2 no_stream {noted}"),
            format!("5/2 append note-2 no_stream {noted}"),
            format!("5/4 append note-2 7 {noted}"),
            r#"5/6 publish mail note.taken Some("note-2") {"a": 1.50}"#.to_owned(),
            "5/7 call bank pay 1 null".to_owned(),
            format!("5/8 schedule pay 1 {} [1]", Instant(-5)),
            "5/9 cancel pay 0".to_owned(),
        ]
    );
    let quiet = react("reacts_as_told", LIMITS, &told("nothing")).unwrap();
    assert_eq!(quiet.effects.len(), 2, "an answer without effects is left out");
}

#[test]
fn answers_are_in_the_order_of_the_events() {
    let messages = ["out of order", "twice", "another", "part"].map(|word| failure(word).to_string());
    assert_eq!(
        messages,
        [
            "the module broke the contract at position 1: it answered position 1 after position 5; answers are in the order of the \
             events, at most one for each",
            "the module broke the contract at position 5: it answered position 5 after position 5; answers are in the order of the \
             events, at most one for each",
            "the module broke the contract at position 5: it answered position 6, which is not in the batch",
            "the module broke the contract at position 5: it answered position 5, part 1, which is not in the batch",
        ]
    );
}

#[test]
fn effects_that_cannot_be_carried_out_are_reported_with_their_event() {
    let expected = [
        ("no sink", "effect 1, a message: the sink `fax` is not among those that the reactor names"),
        (
            "reserved",
            "effect 1, an append: only the host itself appends to `gnomon:test-1`: names that begin with `gnomon:` are kept for its \
             own events",
        ),
        ("no stream", "effect 1, an append: the stream name must not be empty"),
        ("no events", "effect 1, an append: it has no events for `note-2`"),
        ("late version", "effect 1, an append: no stream has a version 18446744073709551615"),
        ("version 0", "effect 1, an append: the schema version 0 is not between 1 and 2147483647"),
        ("no type", "effect 1, an append: the event type must not be empty"),
        ("empty tag", "effect 1, an append: the tag must not be empty"),
        (
            "no json",
            "the data of an event `Noted` is refused: it is not JSON: EOF while parsing a value at line 1 column 6",
        ),
        (
            "half a character",
            "the data of an event `Noted` is refused: the JSON has a string that is not Unicode text: unexpected end of hex escape \
             at line 1 column 8",
        ),
        ("metadata", "the metadata of an event `Noted` is refused: it is not JSON: expected ident at line 1 column 2"),
        ("message", "the data of a message is refused: it is not JSON: expected ident at line 1 column 2"),
        ("large", "effect 1, a message: bytes of its data: 1001; the limit max_message_bytes is 1000"),
        ("deep", "effect 1, a message: depth of the JSON: 128; the limit max_json_depth is 127"),
        ("odd name", "effect 1, the end of a schedule: the name \"a\\u{7f}\" contains the control character '\\u{7f}'"),
        (
            "long name",
            "effect 1, the end of a schedule: bytes of its name: 256; the limit max_stream_name_bytes is 255",
        ),
        (
            "year 10000",
            "effect 1, a schedule: +294247-01-10T04:00:54.775807Z is after 9999-12-31T23:59:59.999999Z, the last instant that Gnomon \
             keeps",
        ),
        ("many", "effects of one event: 12; the limit max_effects is 10"),
    ];
    let found = expected.map(|(word, _)| {
        let failure = failure(word);
        assert_eq!((failure.kind, failure.position), (FailureKind::BrokeContract, Position(5)), "{word}");
        failure.message
    });
    assert_eq!(found, expected.map(|(_, message)| format!("it answered `Trigger`: {message}")));
}

/// So a host that hands over fewer events at once gets on.
#[test]
fn the_effects_of_a_batch_have_a_limit_in_sum() {
    let large = |position| event(position, "Trigger", "\"large in sum\"");
    let failure = failure_with(LIMITS, &[large(2), large(4)]);
    assert_eq!(
        failure.to_string(),
        "the module broke the contract at position 4: bytes of the effects of one batch: 16398; the limit max_batch_effect_bytes is \
         10000"
    );
    for position in [2, 4] {
        assert_eq!(react("reacts_as_told", LIMITS, &[large(position)]).unwrap().effects[0].effects.len(), 9);
    }
}

#[test]
fn a_reactor_fails_as_any_module_does() {
    assert_eq!(failure("refuse").to_string(), "the module could not handle the event at position 5: not this one");
    let trapped = failure("trap");
    assert_eq!((trapped.kind, trapped.position), (FailureKind::Trapped, Position(5)));
    let limits = RuntimeLimits { max_batch_time: Duration::from_millis(100), ..LIMITS };
    assert_eq!(
        failure_with(limits, &told("endless")).to_string(),
        "the module took too long at position 5: it computed for more than 0.1 s; the limit is max_batch_time"
    );
    assert_eq!(
        failure("wrong row").to_string(),
        "the module broke the contract at position 5: table `notes`: a row has 3 values, but the module passed 0"
    );
}

/// A reactor of the SDK, with memory that is kept from batch to batch.
#[test]
fn a_reactor_of_the_sdk_answers_by_its_rows() {
    let counted = |position: u64, data: &str| Delivery {
        stream: "count-a".into(),
        version: StreamVersion(position),
        ..event(position, "Counted", data)
    };
    let reactor = load("replies", LIMITS);
    assert_eq!(reactor.descriptor().sinks, ["mail", "bank"]);
    assert_eq!(reactor.descriptor().description.as_deref(), Some("Answers each number with the sum of its stream."));
    let mut instance = reactor.instantiate(Position(1)).unwrap();
    let first = [counted(1, r#"{"n":5}"#), counted(2, r#"{"n":2,"expected":0,"call":"pay","later":60}"#)];
    let Reaction { writes, effects } = instance.react(&first, Box::new(NoRows)).unwrap();
    let row = writes.tables()[0].get(&[Value::Text("a".to_owned())]).unwrap().unwrap();
    assert_eq!(row[1..], [Value::I64(7), Value::I64(2)]);
    let at = Instant(TIME + 1 + 60_000_000);
    assert_eq!(
        shown(&effects),
        [
            r#"1/0 append sum-a any ["Summed 1 {\"n\":5,\"sum\":5}  [\"count:a\"]"]"#.to_owned(),
            r#"2/0 append sum-a no_stream ["Summed 1 {\"n\":2,\"sum\":7}  [\"count:a\"]"]"#.to_owned(),
            r#"2/1 call bank pay {"n":2,"sum":7}"#.to_owned(),
            format!(r#"2/2 schedule a {at} {{"n":2}}"#),
        ]
    );
    let Reaction { effects, .. } = instance.react(&[counted(7, r#"{"n":-7}"#)], Box::new(NoRows)).unwrap();
    assert_eq!(shown(&effects), [r#"7/0 append sum-a any ["Summed 1 {\"n\":-7,\"sum\":0}  [\"count:a\"]"]"#]);
    match instance.react(&[counted(9, r#"{"n":1}"#), counted(11, r#"{"n":1,"poison":true}"#)], Box::new(NoRows)) {
        Err(BatchError::Module(failure)) => assert_eq!(
            failure.to_string(),
            "the module could not handle the event at position 11: Counted: it is poison"
        ),
        other => panic!("it did not fail: {other:?}"),
    }
}
