//! What reactors of tests are told to do, by the data of events.

use gnomon_sdk::{chrono::TimeDelta, prelude::*};
use serde::Deserialize;

/// What a reactor hears.
#[derive(Events)]
pub(crate) enum Heard {
    /// What it is to do.
    #[event("Told")]
    Told(Told),
    /// A schedule is due.
    #[event("ScheduleDue")]
    Due(ScheduleDue<Told>),
    /// An append was refused.
    #[event("AppendRefused")]
    Refused(AppendRefused),
    /// A call was answered.
    #[event("CallSucceeded")]
    Answered(CallSucceeded),
    /// A call was not answered.
    #[event("CallFailed")]
    NotAnswered(CallFailed),
}

/// What it is to do, one after the other.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(crate) struct Told(pub(crate) Vec<Order>);

/// One thing to do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Appends events of a type.
    Append(AppendOrder),
    /// Sends a message of this type to the sink `mail`.
    Publish(String),
    /// Calls the sink `bank` under this name.
    Call(String),
    /// Makes a schedule.
    Schedule(ScheduleOrder),
    /// Cancels the schedule of this name.
    Cancel(String),
    /// Fails, unless the version of the reactor is later than this one.
    FailUpTo(u32),
}

/// Events to append.
#[derive(Deserialize)]
pub(crate) struct AppendOrder {
    stream: String,
    /// Any version, if there is none; no events if it is 0.
    expected: Option<u64>,
    #[serde(default = "one")]
    events: usize,
}

fn one() -> usize {
    1
}

/// A schedule to make.
#[derive(Deserialize)]
pub(crate) struct ScheduleOrder {
    name: String,
    /// Milliseconds after the time of the event.
    after: i64,
}

/// What a row says of what was heard.
pub(crate) fn said(heard: &Heard) -> String {
    match heard {
        Heard::Told(_) => "told".to_owned(),
        Heard::Due(due) => format!("due {}", due.name),
        Heard::Refused(refused) => {
            let current = refused.current.map_or_else(|| "?".to_owned(), |current| current.to_string());
            format!(
                "refused {} expected {} current {current} at {}/{}",
                refused.stream, refused.expected, refused.position, refused.number
            )
        }
        Heard::Answered(answered) => format!("answered {}", answered.name),
        Heard::NotAnswered(failed) => format!("not answered {}", failed.name),
    }
}

/// Does what a reactor of a version is told.
pub(crate) fn obey(event: &Event<Heard>, version: u32, effects: &mut Effects) -> Result<(), Failure> {
    let Heard::Told(Told(orders)) = &event.data else { return Ok(()) };
    for order in orders {
        match order {
            Order::Append(AppendOrder { stream, expected, events }) => {
                let done = (0..*events).map(|number| NewEvent::new("Done", &(event.position, number)));
                let done: Vec<_> = done.collect();
                match expected {
                    None => effects.append(stream.as_str(), done),
                    Some(0) => effects.append_expecting(stream.as_str(), ExpectedVersion::NoStream, done),
                    Some(version) => effects.append_expecting(stream.as_str(), ExpectedVersion::Exact(*version), done),
                }
            }
            Order::Publish(message_type) => {
                effects
                    .publish("mail", Message::new(message_type.as_str(), &event.position).about(event.stream.as_str()));
            }
            Order::Call(name) => effects.call("bank", name.as_str(), &event.position),
            Order::Schedule(ScheduleOrder { name, after }) => {
                let nothing: [(); 0] = [];
                effects.schedule(name.as_str(), event.time + TimeDelta::milliseconds(*after), &nothing);
            }
            Order::Cancel(name) => effects.cancel(name.as_str()),
            Order::FailUpTo(last) if version <= *last => fail!("it is told to fail"),
            Order::FailUpTo(_) => {}
        }
    }
    Ok(())
}
