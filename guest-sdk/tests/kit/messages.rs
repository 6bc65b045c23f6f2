//! Messages of the kit for tests that fail.

use gnomon_sdk::{
    prelude::*,
    testing::{event, given, json, read_json_lines},
};

use crate::{Counter, Counting, complaint, counted, counter};

/// Misbehaves as the amount says.
struct MisbehavesOnRequest;

impl Projection for MisbehavesOnRequest {
    type Event = Counting;
    type Tables = Counter;

    const CATEGORIES: &'static [&'static str] = &["counter"];

    fn handle(event: &Event<Counting>, rows: &mut Rows) -> Result<(), Failure> {
        let Counting::Counted(counted) = &event.data;
        let name = event.stream_id();
        match counted.by {
            -1 => fail!("nobody counts backwards"),
            -2 => panic!("cannot count {}", counted.by),
            -3 => std::process::exit(7),
            -4 => recurse(0),
            -5 => {
                if let Some(row) = rows.get_mut::<Counter>(name) {
                    row.counter.push('!');
                }
            }
            -6 => rows.put(counter("nul \0", 0)),
            -7 => rows.put(Undeclared { counter: String::new() }),
            by => rows.put(counter(name, by)),
        }
        log::info!("counted {}", counted.by);
        Ok(())
    }

    fn prefetch(event: &Event<Counting>, prefetch: &mut Prefetch) {
        let Counting::Counted(counted) = &event.data;
        assert_ne!(counted.by, -8, "cannot prefetch");
        if counted.by != -5 {
            prefetch.want::<Counter>(event.stream_id());
        }
    }
}

#[derive(Table)]
#[table("undeclared")]
struct Undeclared {
    #[key]
    counter: String,
}

#[allow(unconditional_recursion, reason = "the test needs a stack overflow")]
fn recurse(depth: u64) {
    recurse(std::hint::black_box(depth + 1));
    std::hint::black_box(depth);
}

#[test]
fn rows_that_differ_are_shown_by_column() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1), counted("b", 2), counted("d", 4)]).then_rows([
            counter("a", 1),
            counter("b", 3),
            counter("c", 3),
        ]);
    });
    let expected = "the rows of `counters` are not as expected:\n  \
                    ~ counter \"b\": total is 3 expected, 2 found\n  \
                    - only expected: counter \"c\", total 3\n  \
                    + only found: counter \"d\", total 4";
    assert_eq!(said, expected);
}

#[test]
fn a_row_that_is_missing_is_shown() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1)]).then_row(counter("b", 1));
    });
    assert_eq!(said, "`counters` does not have the row:\n  - only expected: counter \"b\", total 1");
}

#[test]
fn invalid_expectations_are_named() {
    let expect = |rows: [Counter; 2]| {
        complaint(|| {
            given::<MisbehavesOnRequest>([counted("a", 1)]).then_rows(rows);
        })
    };
    let said = expect([counter("a", 1), counter("a", 2)]);
    assert_eq!(said, "two rows that are expected in `counters` have the same key as counter \"a\", total 2");
    let said = expect([counter("a", 1), counter("nul \0", 2)]);
    assert!(said.starts_with("a row that is expected in `counters` is invalid: column `counter`: the text"), "{said}");
}

#[test]
fn an_unexpected_failure_names_its_event() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1)]).when([counted("a", -1)]).then_rows([counter("a", 1)]);
    });
    assert_eq!(said, "event 2 (Counted of counter-a) failed: Counted: nobody counts backwards");
}

#[test]
fn another_failure_than_expected_fails_the_test() {
    let fails = |position, words: &'static str| {
        complaint(move || {
            given::<MisbehavesOnRequest>([counted("a", 1), counted("a", -1)]).then_fails(position, words);
        })
    };
    assert!(
        fails(1, "backwards").ends_with("but event 2 (Counted of counter-a) failed: Counted: nobody counts backwards")
    );
    assert!(fails(2, "forwards").contains("expected event 2 to fail with \"forwards\""));
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1)]).then_fails(1, "backwards");
    });
    assert_eq!(said, "expected event 1 to fail with \"backwards\", but all events were handled");
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([event("other-a", "Counted", json!({}))]).then_fails(1, "by");
    });
    assert_eq!(said, "expected event 1 to fail with \"by\", but the projection does not read it");
}

#[test]
fn the_first_event_that_fails_counts_even_if_a_later_one_is_malformed() {
    let malformed = event("counter-a", "Counted", json!({ "by": "much" }));
    given::<MisbehavesOnRequest>([counted("a", 1), counted("a", -1), malformed.clone()]).then_fails(2, "backwards");
    given::<MisbehavesOnRequest>([counted("a", 1), malformed, counted("a", -1)])
        .then_fails(2, "Counted: its data does not fit Counted: in `by`: invalid type: string \"much\", expected i64");
}

#[test]
fn a_panic_names_its_event_and_location() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1), counted("b", -2)]).then_rows([counter("a", 1)]);
    });
    assert!(said.starts_with("event 2 (Counted of counter-b) stopped the projection: it panicked at "), "{said}");
    assert!(said.contains("messages.rs:") && said.contains("cannot count -2 (all events in one batch)"), "{said}");
}

#[test]
fn a_panic_in_prefetch_names_its_event() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1), counted("b", -8), counted("c", 1)]).then_rows([counter("a", 1)]);
    });
    assert!(said.starts_with("event 2 (Counted of counter-b)") && said.contains("cannot prefetch"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_process_that_ends_early_is_reported() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", -3)]).then_no_rows::<Counter>();
    });
    assert!(said.contains("its process exited with status 7"), "{said}");
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", -4)]).then_no_rows::<Counter>();
    });
    assert!(said.contains("its process was killed by signal"), "{said}");
}

#[test]
fn a_key_that_was_changed_is_a_failure() {
    given::<MisbehavesOnRequest>([counted("a", 1)])
        .when([counted("a", -5)])
        .then_fails(2, "the row (\"a\") of `counters`: its key was changed to (\"a!\")");
}

#[test]
fn a_value_that_cannot_be_stored_fails_its_event() {
    given::<MisbehavesOnRequest>([counted("a", 1), counted("a", -6), counted("a", 1)])
        .then_fails(2, "column `counter`: the text");
}

#[test]
fn an_undeclared_table_is_named() {
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", -7)]).then_no_rows::<Counter>();
    });
    assert!(said.contains("the table `undeclared` is not among the `Tables` of this module"), "{said}");
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", 1)]).then_no_rows::<Undeclared>();
    });
    assert!(said.contains("the table `undeclared` is not among the `Tables` of this module"), "{said}");
}

#[test]
fn rows_that_prefetch_does_not_request_are_detected() {
    given::<MisbehavesOnRequest>([counted("a", 1), counted("b", 1)]).then_all_prefetched();
    let said = complaint(|| {
        given::<MisbehavesOnRequest>([counted("a", -5)]).then_all_prefetched();
    });
    assert_eq!(
        said,
        "event 1 (Counted of counter-a) read the row (\"a\") of `counters`, which `prefetch` had not requested"
    );
}

#[test]
fn json_lines_are_read_as_events() {
    let lines = r#"{"id":1,"stream":"counter-a","type":"Counted","time":"2013-01-01T10:17:00Z","data":{"by":3}}
{"stream":"counter-b","type":"Counted","data":{"by":4},"metadata":{"user":"ann"},"schema_version":2}"#;
    given::<MisbehavesOnRequest>(read_json_lines(lines.as_bytes())).then_rows([counter("a", 3), counter("b", 4)]);
    let said = complaint(|| drop(read_json_lines(&b"{}"[..])));
    assert!(said.starts_with("line 1 is not an event: missing field `type`"), "{said}");
}
