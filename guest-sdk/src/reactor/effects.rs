//! The effects of an event.

use std::fmt;

use gnomon_values::Instant;
use serde::Serialize;

use super::effect::{Effect, RawEvent};
use crate::{Failure, Timestamp};

/// The effects with which a reactor answers an event. They are data: the host carries them out when it has committed them with the
/// reactor's rows, and nothing of them if the event fails.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// # use gnomon_sdk::chrono::TimeDelta;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Events)] enum OrderEvent { #[event("OrderPlaced")] Placed(OrderPlaced) }
/// # #[derive(Deserialize)] struct OrderPlaced { total: i64 }
/// # #[derive(Serialize)] struct Charge { amount: i64 }
/// # fn react(event: &Event<OrderEvent>, effects: &mut Effects) {
/// # let OrderEvent::Placed(order) = &event.data;
/// let name = event.stream.as_str();
/// // Events for a stream.
/// effects.append("ledger-1", [NewEvent::new("OrderBooked", &Charge { amount: order.total })]);
/// // A message for a sink.
/// effects.publish("mail", Message::new("order.placed", &Charge { amount: order.total }).about(name));
/// // A call, whose answer comes back as `CallSucceeded` or `CallFailed` of this name.
/// effects.call("payments", name, &Charge { amount: order.total });
/// // An event in an hour, `ScheduleDue`, unless it is cancelled.
/// effects.schedule(name, event.time + TimeDelta::hours(1), &());
/// # }
/// ```
///
/// What goes into an effect must come from the event and the rows. So an effect is the same however often its event is handled, and has the
/// same id each time.
#[derive(Default)]
pub struct Effects {
    effects: Vec<Effect>,
    /// The first failure. It fails the event when `react` returns, so that adding an effect does not return a `Result` that is
    /// almost never an error.
    failure: Option<Failure>,
}

/// The version that a stream must have for events to be appended to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// The stream has no events.
    NoStream,
    /// That of its newest event, from 1.
    Exact(u64),
}

/// An event to be appended. It has schema version 1, no metadata and no tags, unless it is said otherwise.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewEvent {
    event: RawEvent,
    failure: Option<Failure>,
}

/// A message for a sink.
#[derive(Clone, Debug)]
#[must_use]
pub struct Message {
    message_type: String,
    subject: Option<String>,
    data: Result<String, Failure>,
}

impl Effects {
    /// Appends events to a stream, whatever its version. All of them are appended or none.
    pub fn append(&mut self, stream: impl Into<String>, events: impl IntoIterator<Item = NewEvent>) {
        self.push_append(stream.into(), None, events);
    }

    /// Appends events to a stream if it has this version. If it has not, none is appended, and the reactor gets an
    /// [`AppendRefused`](super::AppendRefused).
    pub fn append_expecting(
        &mut self,
        stream: impl Into<String>,
        expected: ExpectedVersion,
        events: impl IntoIterator<Item = NewEvent>,
    ) {
        let expected = match expected {
            ExpectedVersion::NoStream => 0,
            ExpectedVersion::Exact(version) => version,
        };
        self.push_append(stream.into(), Some(expected), events);
    }

    /// Sends a message to a sink, which is among the [`SINKS`](super::Reactor::SINKS) of the reactor.
    pub fn publish(&mut self, sink: impl Into<String>, message: Message) {
        let Message { message_type, subject, data } = message;
        let sink = sink.into();
        if let Some(data) = self.take(data) {
            self.effects.push(Effect::Publish { sink, message_type, subject, data });
        }
    }

    /// Calls a sink, which is among the [`SINKS`](super::Reactor::SINKS) of the reactor. The answer comes back as a
    /// [`CallSucceeded`](super::CallSucceeded) or a [`CallFailed`](super::CallFailed) of this name.
    pub fn call(&mut self, sink: impl Into<String>, name: impl Into<String>, data: &impl Serialize) {
        let (sink, name) = (sink.into(), name.into());
        if let Some(data) = self.take(as_json(data, "data of a call")) {
            self.effects.push(Effect::Call { sink, name, data });
        }
    }

    /// Delivers a [`ScheduleDue`](super::ScheduleDue) of this name at a time. It replaces the schedule of the same name, if there is one. A
    /// time that has passed is due at once.
    pub fn schedule(&mut self, name: impl Into<String>, at: Timestamp, data: &impl Serialize) {
        let name = name.into();
        let at = Instant::of(at).map_err(|error| Failure::new(format!("the time of schedule `{name}`: {error}")));
        let (at, data) = (self.take(at), self.take(as_json(data, "data of a schedule")));
        if let (Some(at), Some(data)) = (at, data) {
            self.effects.push(Effect::Schedule { name, at: at.0, data });
        }
    }

    /// Removes the schedule of this name, if there is one.
    pub fn cancel(&mut self, name: impl Into<String>) {
        self.effects.push(Effect::Cancel { name: name.into() });
    }

    fn push_append(&mut self, stream: String, expected: Option<u64>, events: impl IntoIterator<Item = NewEvent>) {
        let mut raw = Vec::new();
        for NewEvent { event, failure } in events {
            raw.push(event);
            self.failure = self.failure.take().or(failure);
        }
        self.effects.push(Effect::Append { stream, expected, events: raw });
    }

    fn take<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                None
            }
        }
    }

    /// Takes the effects that were added.
    pub(crate) fn finish(&mut self) -> Result<Vec<Effect>, Failure> {
        let effects = std::mem::take(&mut self.effects);
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(effects),
        }
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.effects).finish()
    }
}

impl NewEvent {
    /// An event of this type, with any data that serde can serialize.
    pub fn new(event_type: impl Into<String>, data: &impl Serialize) -> Self {
        let (data, failure) = text(as_json(data, "data of a new event"));
        let event =
            RawEvent { event_type: event_type.into(), schema_version: 1, data, metadata: None, tags: Vec::new() };
        Self { event, failure }
    }

    /// Sets the version of the shape of the data.
    pub fn schema_version(mut self, version: u32) -> Self {
        self.event.schema_version = version;
        self
    }

    /// Sets the metadata.
    pub fn metadata(mut self, metadata: &impl Serialize) -> Self {
        let (metadata, failure) = text(as_json(metadata, "metadata of a new event"));
        self.event.metadata = Some(metadata);
        self.failure = self.failure.or(failure);
        self
    }

    /// Adds a tag: `.tagged("course:c1").tagged("student:s7")`. One that the event has already is not added again.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.event.tags.contains(&tag) {
            self.event.tags.push(tag);
        }
        self
    }
}

impl Message {
    /// A message of this type, with any data that serde can serialize.
    pub fn new(message_type: impl Into<String>, data: &impl Serialize) -> Self {
        Self { message_type: message_type.into(), subject: None, data: as_json(data, "data of a message") }
    }

    /// Says what the message is about, such as the name of a stream.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

fn as_json(value: &impl Serialize, what: &str) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new(format!("the {what} cannot be written as JSON: {error}")))
}

fn text(json: Result<String, Failure>) -> (String, Option<Failure>) {
    match json {
        Ok(text) => (text, None),
        Err(failure) => (String::new(), Some(failure)),
    }
}
