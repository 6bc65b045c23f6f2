//! The kit with reactors: what it shows, what it refuses, and what it detects.

use std::sync::atomic::{AtomicI64, Ordering};

use gnomon_sdk::{
    chrono::TimeDelta,
    prelude::*,
    testing::{
        event, json,
        reactor::{append_refused, call_failed, call_succeeded, given, schedule_due},
    },
};
use serde::Deserialize;

use crate::{complaint, counted};

/// Counting, and what comes back to the reactor.
#[derive(Events)]
enum Heard {
    #[event("Counted")]
    Counted(Counted),
    #[event("ScheduleDue")]
    Due(ScheduleDue<Note>),
    #[event("CallSucceeded")]
    Answered(CallSucceeded),
    #[event("CallFailed")]
    NotAnswered(CallFailed),
    #[event("AppendRefused")]
    Refused(AppendRefused),
}

#[derive(Deserialize)]
struct Counted {
    by: i64,
}

#[derive(Deserialize)]
struct Note {
    by: i64,
}

/// What came back.
#[derive(Table)]
#[table("heard")]
struct Row {
    #[key]
    what: String,
    times: i64,
}

/// Does as the amount says.
struct Does;

impl Reactor for Does {
    type Event = Heard;
    type Tables = Row;

    const CATEGORIES: &'static [&'static str] = &["counter"];
    const SINKS: &'static [&'static str] = &["mail"];

    fn react(event: &Event<Heard>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let name = event.stream_id();
        let heard = match &event.data {
            Heard::Counted(counted) => {
                match counted.by {
                    0 => {}
                    -1 => fail!("nobody counts backwards"),
                    -2 => effects.publish("fax", Message::new("counted", &())),
                    -3 => effects.append("gnomon:other-1", [NewEvent::new("CallSucceeded", &())]),
                    -4 => effects.append("a-1", [NewEvent::new("Counted", &Unwritable)]),
                    -5 => (0..1001).for_each(|_| effects.cancel(name)),
                    by => {
                        let data = json!({ "by": by });
                        effects.append("sum-1", [NewEvent::new("Added", &data).tagged("sum:1").schema_version(2)]);
                        effects.publish("mail", Message::new("counted", &data).about(name));
                        effects.call("mail", name, &data);
                        effects.schedule(name, event.time + TimeDelta::hours(1), &data);
                        effects.cancel("other");
                        effects.append_expecting("sum-2", ExpectedVersion::Exact(2), [NewEvent::new("Added", &data)]);
                    }
                }
                return Ok(());
            }
            Heard::Due(due) => format!("{} {}", due.name, due.data.by),
            Heard::Answered(answer) => format!("{} {} {}", answer.name, answer.status, answer.data),
            Heard::NotAnswered(failed) => format!("{} {:?} {}", failed.name, failed.status, failed.reason),
            Heard::Refused(refused) => format!("{} {} {:?}", refused.stream, refused.expected, refused.current),
        };
        rows.get_or_insert_with(&heard, || Row { what: heard.clone(), times: 0 }).times += 1;
        Ok(())
    }
}

struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no words for it"))
    }
}

#[test]
fn effects_are_those_of_the_events_that_were_added_last() {
    let all = |effects: &mut Effects, by: i64, time: &str| {
        // Fields in another order, and a number in another form, are the same data.
        let data = json!({ "by": by });
        effects.append("sum-1", [NewEvent::new("Added", &data).schema_version(2).tagged("sum:1")]);
        effects.publish("mail", Message::new("counted", &data).about("a"));
        effects.call("mail", "a", &data);
        effects.schedule("a", time.parse().unwrap(), &data);
        effects.cancel("other");
        effects.append_expecting("sum-2", ExpectedVersion::Exact(2), [NewEvent::new("Added", &data)]);
    };
    given::<Does>([counted("a", 1)])
        .when([counted("a", 2)])
        .then_effects(|effects| all(effects, 2, "2026-01-01T01:00:02Z"))
        .when([counted("a", 0), counted("a", 3)])
        .then_effects(|effects| all(effects, 3, "2026-01-01T01:00:04Z"))
        .when([counted("a", 0)])
        .then_no_effects()
        .then_no_rows::<Row>();
}

#[test]
fn effects_that_differ_are_shown() {
    let said = complaint(|| {
        given::<Does>([]).when([counted("a", 4)]).then_effects(|effects| {
            let data = json!({ "by": 4 });
            effects.append("sum-1", [NewEvent::new("Added", &data)]);
            effects.publish("mail", Message::new("counted", &data).about("a"));
            effects.call("mail", "a", &json!({ "by": 5 }));
            effects.schedule("a", "2026-01-01T01:00:01Z".parse().unwrap(), &data);
            effects.cancel("other");
            effects.append_expecting("sum-2", ExpectedVersion::NoStream, [NewEvent::new("Added", &data)]);
            effects.cancel("more");
        });
    });
    assert_eq!(
        said,
        "the effects are not as expected:\
         \n  - effect 1 expected: append to sum-1: Added {\"by\":4}\
         \n  + effect 1 found: append to sum-1: Added version 2 {\"by\":4} tagged sum:1\
         \n  - effect 3 expected: call mail as a: {\"by\":5}\
         \n  + effect 3 found: call mail as a: {\"by\":4}\
         \n  - effect 6 expected: append to sum-2, which has no events: Added {\"by\":4}\
         \n  + effect 6 found: append to sum-2, which has version 2: Added {\"by\":4}\
         \n  - effect 7 expected: cancel more"
    );
}

#[test]
fn what_comes_back_is_an_event_of_the_test() {
    let row = |what: &str, times| Row { what: what.to_owned(), times };
    given::<Does>([])
        .when([
            schedule_due("a", "2026-01-01T01:00:01Z", json!({ "by": 7 })),
            schedule_due("a", "2026-01-02T01:00:01Z", json!({ "by": 7 })),
            call_succeeded("a", 200, json!({ "paid": true })),
            call_failed("a", Some(402), "no money"),
            append_refused("sum-2", 2, 3),
        ])
        .then_no_effects()
        .then_rows([
            row("a 7", 2),
            row("a 200 {\"paid\":true}", 1),
            row("a Some(402) no money", 1),
            row("sum-2 2 Some(3)", 1),
        ]);
}

#[test]
fn events_of_other_reactors_and_categories_are_not_read() {
    let due = json!({ "name": "a", "data": { "by": 7 }, "scheduled_for": "2026-01-01T01:00:01Z" });
    given::<Does>([])
        .when([event("gnomon:other-a", "ScheduleDue", due), event("account-1", "Counted", json!({ "by": 7 }))])
        .then_no_effects()
        .then_no_rows::<Row>();
}

#[test]
fn effects_that_a_host_refuses_fail_their_event() {
    given::<Does>([counted("a", 1)]).when([counted("a", -1)]).then_fails(2, "Counted: nobody counts backwards");
    given::<Does>([counted("a", 1)])
        .when([counted("a", -2), counted("a", -1)])
        .then_fails(2, "effect 1, a message: the sink `fax` is not among those that the reactor names");
    given::<Does>([counted("a", -3)]).then_fails(1, "only the host itself appends to `gnomon:other-1`");
    given::<Does>([counted("a", 1), counted("a", -4)])
        .then_fails(2, "Counted: the data of a new event cannot be written as JSON: no words for it");
    given::<Does>([counted("a", -5)]).then_fails(1, "effects of one event: 1001; the limit max_effects is 1000");
}

/// Counts in a static, which an instance loses.
struct Remembers;

impl Reactor for Remembers {
    type Event = Heard;
    type Tables = ();

    fn react(_: &Event<Heard>, _: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        static SEEN: AtomicI64 = AtomicI64::new(0);
        effects.cancel(SEEN.fetch_add(1, Ordering::Relaxed).to_string());
        Ok(())
    }
}

#[cfg(unix)]
#[test]
fn effects_that_depend_on_memory_are_detected() {
    let said = complaint(|| drop(given::<Remembers>([counted("a", 1), counted("a", 2)]).then_no_effects()));
    assert!(said.starts_with("the result of `react` depends on how events are split into batches."), "{said}");
    assert!(said.ends_with("\neffects:\n  - effect 2 in A: cancel 1\n  + effect 2 in B: cancel 0"), "{said}");
}

/// Says wrong things of itself.
struct Misdeclared;

impl Reactor for Misdeclared {
    type Event = Heard;
    type Tables = (Row, Row);

    const TAGS: &'static [&'static str] = &[""];

    fn react(_: &Event<Heard>, _: &mut Rows, _: &mut Effects) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn declarations_that_a_host_refuses_fail_every_test() {
    let said = complaint(|| drop(given::<Misdeclared>([]).rows::<Row>()));
    assert_eq!(
        said,
        "a host refuses to upload this module:\n  table `heard` is declared twice\n  the tag must not be empty"
    );
}
