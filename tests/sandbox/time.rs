//! Instants, days and times without a time zone through the whole host, from append through log, module and Postgres to result and filter; and in the test
//! kit.

use calendar::{Calendar, InstantNotes, LocalNotes, Note};
use gnomon::server::ServerSettings;
use gnomon_sdk::{
    prelude::{LocalTimestamp, TimeOfDay, Timestamp},
    testing::{TestEvent, event, given},
};
use gnomon_values::{Day, Instant, LocalTimestamp as Local, TimeOfDay as Clock};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use test_support::component;

use crate::host::TestHost;

/// An instant as a client writes it, possibly finer than a microsecond, and as it is kept.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    kept: Instant,
}

fn written(kept: Instant, nanos: u32) -> Written {
    let text = kept.to_string();
    let (whole, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((text.trim_end_matches('Z'), ""));
    let text = if nanos == 0 { text.clone() } else { format!("{whole}.{fraction:0<6}{nanos:03}Z") };
    Written { text, kept }
}

/// The first and last instants, those around 1970, and random ones.
fn instants() -> Vec<Written> {
    let ends = [Instant::MIN.0, Instant::MIN.0 + 1, -1_000_001, -1, 0, 1, Instant::MAX.0 - 1, Instant::MAX.0];
    let mut instants: Vec<Written> =
        ends.iter().flat_map(|&end| [0, 1, 999].map(|n| written(Instant(end), n))).collect();
    let mut runner = TestRunner::deterministic();
    let anywhere = (Instant::MIN.0..=Instant::MAX.0, 0..1_000_u32);
    instants.extend((0..40).map(|_| {
        let (micros, nanos) = anywhere.new_tree(&mut runner).unwrap().current();
        written(Instant(micros), nanos)
    }));
    instants
}

/// The data of the event for an instant, which contains the next instant.
fn data(instants: &[Written], number: usize) -> Value {
    let next = &instants[(number + 1) % instants.len()];
    match number % 4 {
        3 => json!({}),
        _ => json!({
            "due": next.text, "day": day_of(next.kept).to_string(), "local": local_text(next), "clock": clock_text(next),
        }),
    }
}

/// As a client writes it without a time zone.
fn local_text(written: &Written) -> &str {
    written.text.strip_suffix('Z').unwrap()
}

/// The time of day as a client writes it.
fn clock_text(written: &Written) -> &str {
    local_text(written).split_once('T').unwrap().1
}

fn local_of(instant: Instant) -> Local {
    Local(instant.0)
}

fn clock_of(instant: Instant) -> Clock {
    Clock(instant.0.rem_euclid(86_400_000_000))
}

fn day_of(instant: Instant) -> Day {
    Day(i32::try_from(instant.0.div_euclid(86_400_000_000)).unwrap())
}

/// As rows have it.
fn answered(instant: Instant) -> String {
    instant.to_string()
}

async fn append(host: &TestHost, stream: &str, instants: &[Written], numbers: std::ops::Range<usize>) -> u64 {
    let mut position = 0;
    for number in numbers {
        let event = json!({"type": "Noted", "time": instants[number].text, "data": data(instants, number)});
        position = host.append_events(stream, &json!([event])).await;
    }
    position
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instant_is_returned_by_row_filter_and_kit() {
    let host = TestHost::start(ServerSettings::default()).await;
    let instants = instants();
    let half = instants.len() / 2;
    // The first half is replayed, the second half is appended while the build is live.
    append(&host, "note-1", &instants, 0..half).await;
    let build = host.deploy("calendar", component("calendar"), "").await;
    host.until_state("calendar", build, "active").await;
    let position = append(&host, "note-1", &instants, half..instants.len()).await;

    let notes = host.rows_at("calendar/notes?order=position", position).await;
    let expected: Vec<Value> = (0..instants.len())
        .map(|number| {
            let (at, next) = (instants[number].kept, instants[(number + 1) % instants.len()].kept);
            let before = instants[..number].iter().filter(|earlier| earlier.kept == at).count();
            let tells = |number: &usize| number % 4 != 3;
            let told = tells(&number);
            let same_local = |earlier: &usize| instants[(earlier + 1) % instants.len()].kept == next;
            let local_before = if told { (0..number).filter(tells).filter(same_local).count() } else { 0 };
            json!({
                "position": number + 1, "at": answered(at), "on": day_of(at).to_string(), "before": before,
                "due": told.then(|| answered(next)), "day": told.then(|| day_of(next).to_string()),
                "local": told.then(|| local_of(next).to_string()), "clock": told.then(|| clock_of(next).to_string()),
                "local_before": local_before,
            })
        })
        .collect();
    assert_eq!(notes, expected);

    // Each is found by the text that its client wrote, and compares correctly with the others.
    for (number, Written { text, kept }) in instants.iter().enumerate() {
        let same: Vec<Value> = expected.iter().filter(|row| row["at"] == answered(*kept)).cloned().collect();
        let of = |filter: &str| format!("calendar/notes?{filter}&order=position");
        assert_eq!(host.rows_at(&of(&format!("at=eq.{text}")), position).await, same, "{text}");
        assert_eq!(host.rows_at(&of(&format!("at=in.({text})")), position).await, same, "{text}");
        assert_eq!(host.rows_at(&of(&format!("or=(at.eq.{text})")), position).await, same, "{text}");
        let on_day = expected.iter().filter(|row| row["on"] == expected[number]["on"]).count();
        let found = host.rows_at(&of(&format!("on=eq.{}", day_of(*kept))), position).await;
        assert_eq!(found.len(), on_day, "{text}");
        let written = &instants[number];
        for (column, kept, text) in [
            ("local", local_of(*kept).to_string(), local_text(written)),
            ("clock", clock_of(*kept).to_string(), clock_text(written)),
        ] {
            let same: Vec<Value> = expected.iter().filter(|row| row[column] == kept).cloned().collect();
            for filter in [
                format!("{column}=eq.{text}"),
                format!("{column}=in.({text})"),
                format!("or=({column}.eq.{text})"),
                format!("{column}=gte.{text}&{column}=lte.{text}"),
            ] {
                assert_eq!(host.rows_at(&of(&filter), position).await, same, "{filter}");
            }
        }
        let earlier = instants.iter().filter(|other| other.kept < *kept).count();
        let found = host.rows_at(&of(&format!("at=lt.{text}")), position).await;
        assert_eq!(found.len(), earlier, "{text}");
    }

    the_kit_has_the_same(&host, &instants, position).await;
    host.stop().await;
}

/// Folds the same events with the test kit, and compares the rows.
async fn the_kit_has_the_same(host: &TestHost, instants: &[Written], position: u64) {
    let events: Vec<TestEvent> = (0..instants.len())
        .map(|number| event("note-1", "Noted", data(instants, number)).at(&instants[number].text))
        .collect();
    let instant = |at: Timestamp| answered(Instant::of(at).unwrap());
    let local = |local: LocalTimestamp| Local::of(local).unwrap().to_string();
    let clock = |time: TimeOfDay| Clock::of(time).unwrap().to_string();
    let kit = given::<Calendar>(events);
    let notes: Vec<Value> = kit
        .rows::<Note>()
        .into_iter()
        .map(|note| {
            json!({
                "position": note.position, "at": instant(note.at), "on": note.on.to_string(), "before": note.before,
                "due": note.due.map(instant), "day": note.day.map(|day| day.to_string()),
                "local": note.local.map(local), "clock": note.clock.map(clock), "local_before": note.local_before,
            })
        })
        .collect();
    assert_eq!(host.rows_at("calendar/notes?order=position", position).await, notes);
    let by_instant: Vec<Value> = kit
        .rows::<InstantNotes>()
        .into_iter()
        .map(|row| json!({"at": instant(row.at), "on": row.on.to_string(), "notes": row.notes}))
        .collect();
    assert_eq!(host.rows_at("calendar/instants?order=at", position).await, by_instant);
    let by_local: Vec<Value> = kit
        .rows::<LocalNotes>()
        .into_iter()
        .map(|row| json!({"local": local(row.local), "clock": clock(row.clock), "notes": row.notes}))
        .collect();
    assert_eq!(host.rows_at("calendar/locals?order=local", position).await, by_local);
}

/// A value that no column keeps fails its event, with the same message in the host and in the kit.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_no_column_keeps_fail_at_their_event() {
    let host = TestHost::start(ServerSettings::default()).await;
    let build = host.deploy("calendar", component("calendar"), "").await;
    let leap = "2016-12-31T23:59:60Z is within a leap second, which Gnomon does not keep";
    let late = "+10000-01-01T00:00:00Z is after 9999-12-31T23:59:59.999999Z, the last instant that Gnomon keeps";
    let early = "0000-12-31 is before 0001-01-01, the first day that Gnomon keeps";
    let local_leap = "2016-12-31T23:59:60 is within a leap second, which Gnomon does not keep";
    let local_late =
        "+10000-01-01T00:00:00 is after 9999-12-31T23:59:59.999999, the last date and time that Gnomon keeps";
    let clock_leap = "23:59:60 is within a leap second, which Gnomon does not keep";
    let mut cases = vec![
        ("Noted", json!({"due": "2016-12-31T23:59:60Z"}), format!("column `due`: {leap}")),
        ("Noted", json!({"due": "+10000-01-01T00:00:00Z"}), format!("column `due`: {late}")),
        ("Noted", json!({"day": "0000-12-31"}), format!("column `day`: {early}")),
        ("Noted", json!({"local": "2016-12-31T23:59:60"}), format!("column `local`: {local_leap}")),
        ("Noted", json!({"local": "+10000-01-01T00:00:00"}), format!("column `local`: {local_late}")),
        ("Noted", json!({"clock": "23:59:60"}), format!("column `clock`: {clock_leap}")),
    ];
    for way in ["get", "delete", "prefetch"] {
        cases.push((
            "Asked",
            json!({"way": way, "at": "2016-12-31T23:59:60Z"}),
            format!("a key of `instants`: {leap}"),
        ));
        cases.push((
            "Asked",
            json!({"way": way, "at": "+10000-01-01T00:00:00Z"}),
            format!("a key of `instants`: {late}"),
        ));
        for (at, clock, words) in [
            ("2016-12-31T23:59:60Z", "10:17:00", local_leap),
            ("+10000-01-01T00:00:00Z", "10:17:00", local_late),
            ("2016-12-31T00:00:00Z", "23:59:60", clock_leap),
        ] {
            let asked = json!({"way": way, "at": at, "clock": clock});
            cases.push(("Asked", asked, format!("a key of `locals`: {words}")));
        }
    }
    cases.push(("Asked", json!({"way": "find", "at": "2016-12-31T23:59:60Z"}), format!("column `at`: {leap}")));
    cases.push(("Asked", json!({"way": "find", "at": "+10000-01-01T00:00:00Z"}), format!("column `at`: {late}")));

    let asked = json!({"way": "find", "at": "2016-12-31T23:59:60Z", "clock": "10:17:00"});
    cases.push(("Asked", asked, format!("column `local`: {local_leap}")));
    let asked = json!({"way": "find", "at": "2016-12-31T00:00:00Z", "clock": "23:59:60"});
    cases.push(("Asked", asked, format!("column `clock`: {clock_leap}")));

    // A leap second must not be read as this instant.
    let first = json!([{"type": "Noted", "time": "2017-01-01T00:00:00Z", "data": {}}]);
    host.append_events("note-1", &first).await;
    host.until_state("calendar", build, "active").await;
    host.set_on_failure("calendar", "skip").await;
    let mut position = 1;
    for (event_type, data, _) in &cases {
        position = host.append_one("note-1", event_type, data.clone()).await;
    }
    let instants = host.rows_at("calendar/instants", position).await;
    assert_eq!(instants, [json!({"at": "2017-01-01T00:00:00Z", "on": "2017-01-01", "notes": 1})]);
    let letters = host.json("/v1/projections/calendar/dead-letters").await;
    let letters = letters["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), cases.len(), "{letters:#?}");
    for (event_type, data, words) in cases {
        let told =
            letters.iter().filter(|letter| letter["error"]["message"].as_str().unwrap().contains(&words)).count();
        assert!(told > 0, "{event_type} {data}: {words}\n{letters:#?}");
        given::<Calendar>([event("note-1", "Noted", json!({})).at("2017-01-01T00:00:00Z")])
            .when([event("note-1", event_type, data)])
            .then_fails(2, &words);
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_refuses_what_no_column_keeps() {
    let host = TestHost::start(ServerSettings::default()).await;
    let build = host.deploy("calendar", component("calendar"), "").await;
    host.until_state("calendar", build, "active").await;
    for filter in [
        "at=eq.2016-12-31T23:59:60Z",
        "due=in.(2016-12-31T23:59:60Z)",
        "or=(at.lt.2016-12-31T23:59:60Z)",
        "local=eq.2016-12-31T23:59:60",
        "clock=lt.23:59:60",
    ] {
        let answer = host.get(&format!("/v1/read-models/calendar/notes?{filter}")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("22008")), "{answer:?}");
        assert!(answer.body["details"].as_str().unwrap().contains("leap second"), "{answer:?}");
    }
    for filter in ["local=eq.2013-01-01T10:17:00Z", "clock=in.(10:17:00%2B02)", "or=(clock.lt.10:17-05)"] {
        let answer = host.get(&format!("/v1/read-models/calendar/notes?{filter}")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("22007")), "{answer:?}");
        assert!(answer.body["details"].as_str().unwrap().contains("has no time zone"), "{answer:?}");
    }
    // Values out of range are compared.
    for filter in ["at=lt.infinity", "at=gt.-infinity", "at=lt.10000-01-01", "local=lt.infinity", "clock=lt.24:00:00"] {
        assert_eq!(host.json(&format!("/v1/read-models/calendar/notes?{filter}")).await, json!([]), "{filter}");
    }
    host.stop().await;
}
