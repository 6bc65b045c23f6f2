//! What reactors answer with, as it is carried out.

use bytestring::ByteString;
use gnomon_values::Instant;

use crate::{
    event_log::{Append, AppendError, EventLog, Position},
    outbox::{MessageKind, NewMessage, SinkName},
    postgres::PgTimestamp,
    reactors::{Reactor, Schedule, ScheduleChange, schedule_due},
    runtime::{BatchError, Effect, FailureKind, ModuleFailure, NumberedEffect, effect_id},
    telemetry::TraceContext,
};

/// An effect, as it is carried out.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Events are appended.
    Append {
        append: Append,
        /// The event that it answers, and the number of the first event.
        position: Position,
        number: u32,
    },
    /// A message goes to the outbox.
    Message(NewMessage),
    /// A schedule is made or cancelled.
    Schedule(ScheduleChange),
}

/// The event that an effect answers.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) stream: ByteString,
    pub(super) time: Instant,
    /// The trace of the append that brought it.
    pub(super) trace: Option<TraceContext>,
}

/// Makes of effects what is carried out.
#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    reactor: Reactor,
    log: EventLog,
}

impl Carrier {
    /// For the effects of a reactor.
    pub(crate) fn new(reactor: Reactor, log: EventLog) -> Self {
        Self { reactor, log }
    }

    /// The name of the reactor.
    pub(super) fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// What is carried out for an effect. All of it can be: what the log or the outbox would refuse is the reactor's failure at the event.
    ///
    /// # Errors
    /// The effect cannot be carried out.
    pub(super) fn carry(&self, numbered: NumberedEffect<'_>, answered: &Answered) -> Result<Carried, BatchError> {
        let NumberedEffect { position, number, effect } = numbered;
        let refuse = |message: String| {
            let kind = FailureKind::BrokeContract;
            let failure = ModuleFailure { position, upcaster: None, kind, message, backtrace: Vec::new() };
            BatchError::Module(Box::new(failure))
        };
        let too_much = |error: AppendError| refuse(error.to_string());
        let id = |number| effect_id(self.reactor.lineage, position, number);
        match effect.clone() {
            Effect::Append { stream, expected, events } => {
                let events = (number..).zip(events).map(|(number, event)| event.into_new_event(id(number), None));
                let append = Append { stream, expected, events: events.collect() };
                self.log.check_own(&append).map_err(too_much)?;
                Ok(Carried::Append { append, position, number })
            }
            Effect::Publish { sink, message_type, subject, data } => {
                let sink = SinkName::new(sink).map_err(|error| refuse(error.to_string()))?;
                let kind = MessageKind::Publish;
                Ok(Carried::Message(NewMessage {
                    id: id(number),
                    reactor: self.reactor.name.to_string(),
                    sink,
                    kind,
                    key: answered.stream.to_string(),
                    position,
                    number,
                    message_type,
                    subject,
                    data,
                    time: PgTimestamp(answered.time.0),
                    traceparent: answered.trace.as_ref().map(ToString::to_string),
                }))
            }
            Effect::Call { sink, name, data } => {
                let sink = SinkName::new(sink).map_err(|error| refuse(error.to_string()))?;
                Ok(Carried::Message(NewMessage {
                    id: id(number),
                    reactor: self.reactor.name.to_string(),
                    sink,
                    message_type: name.clone(),
                    kind: MessageKind::Call { name },
                    key: answered.stream.to_string(),
                    position,
                    number,
                    subject: None,
                    data,
                    time: PgTimestamp(answered.time.0),
                    traceparent: answered.trace.as_ref().map(ToString::to_string),
                }))
            }
            Effect::Schedule { name, at, data } => {
                let schedule = Schedule { name, due_at: PgTimestamp(at.0), data, position, number };
                // The event that tells that it is due has to fit into the log.
                let due = schedule_due(&self.reactor, &schedule).map_err(|error| refuse(error.to_string()))?;
                self.log.check_own(&due).map_err(too_much)?;
                Ok(Carried::Schedule(ScheduleChange::Set(schedule)))
            }
            Effect::Cancel { name } => Ok(Carried::Schedule(ScheduleChange::Cancel(name))),
        }
    }
}
