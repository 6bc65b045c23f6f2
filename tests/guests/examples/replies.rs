//! A valid reactor that answers each number with an event in a stream of its sums, a message about every tenth, and a call when it is told
//! to; it fails at poison.

#![cfg(target_family = "wasm")]

use gnomon_sdk::{chrono::TimeDelta, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Events)]
enum Heard {
    #[event("Counted")]
    Counted(Counted),
    #[event("ScheduleDue")]
    Due(ScheduleDue<Due>),
    #[event("CallSucceeded")]
    Answered(CallSucceeded),
    #[event("CallFailed")]
    NotAnswered(CallFailed),
    #[event("AppendRefused")]
    Refused(AppendRefused),
}

#[derive(Deserialize)]
struct Counted {
    n: i64,
    /// Fails the event.
    #[serde(default)]
    poison: bool,
    /// Calls the sink `bank` under this name.
    call: Option<String>,
    /// So many seconds later, an event comes back.
    later: Option<i64>,
    /// Appends to the stream only if it has this version.
    expected: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Due {
    n: i64,
}

#[derive(Serialize)]
struct Summed {
    n: i64,
    sum: i64,
}

#[derive(Serialize)]
struct CameBack<'a> {
    what: &'a str,
    name: &'a str,
}

/// The sum of a stream's numbers.
#[derive(Table)]
#[table("sums")]
struct Sum {
    #[key]
    stream: String,
    sum: i64,
    events: i64,
}

struct Module;

impl Reactor for Module {
    type Event = Heard;
    type Tables = Sum;

    const CATEGORIES: &'static [&'static str] = &["count"];
    const SINKS: &'static [&'static str] = &["mail", "bank"];

    fn react(event: &Event<Heard>, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
        let (what, name) = match &event.data {
            Heard::Counted(counted) => return count(event, counted, rows, effects),
            Heard::Due(due) => ("due", &due.name),
            Heard::Answered(answer) => ("answered", &answer.name),
            Heard::NotAnswered(failed) => ("not answered", &failed.name),
            Heard::Refused(refused) => ("refused", &refused.stream),
        };
        effects.append("back-1", [NewEvent::new("CameBack", &CameBack { what, name })]);
        Ok(())
    }

    fn prefetch(event: &Event<Heard>, prefetch: &mut Prefetch) {
        prefetch.want::<Sum>(event.stream_id());
    }
}

fn count(event: &Event<Heard>, counted: &Counted, rows: &mut Rows, effects: &mut Effects) -> Result<(), Failure> {
    if counted.poison {
        fail!("it is poison");
    }
    let stream = event.stream_id();
    let row = rows.get_or_insert_with(stream, || Sum { stream: stream.to_owned(), sum: 0, events: 0 });
    row.sum += counted.n;
    row.events += 1;
    let summed = Summed { n: counted.n, sum: row.sum };
    let sum = NewEvent::new("Summed", &summed).tagged(format!("count:{stream}"));
    match counted.expected {
        Some(0) => effects.append_expecting(format!("sum-{stream}"), ExpectedVersion::NoStream, [sum]),
        Some(version) => effects.append_expecting(format!("sum-{stream}"), ExpectedVersion::Exact(version), [sum]),
        None => effects.append(format!("sum-{stream}"), [sum]),
    }
    if row.events % 10 == 0 {
        effects.publish("mail", Message::new("count.ten", &summed).about(stream));
    }
    if let Some(name) = &counted.call {
        effects.call("bank", name, &summed);
    }
    if let Some(seconds) = counted.later {
        effects.schedule(stream, event.time + TimeDelta::seconds(seconds), &Due { n: counted.n });
    }
    Ok(())
}

gnomon_sdk::export_reactor! {
    /// Answers each number with the sum of its stream.
    Module
}
