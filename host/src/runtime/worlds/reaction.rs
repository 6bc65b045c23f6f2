//! Checks the answers of a reactor.

use std::borrow::Borrow;

use gnomon_values::{
    effects::{self, NewEvent},
    limits::check_batch_effects,
};

use crate::{
    event_log::{
        EventType, ExpectedVersion, JsonText, Position, SchemaVersion, StreamName, StreamVersion, Tag, distinct_tags,
    },
    read_model::Identifier,
    runtime::{
        delivery::Delivery,
        descriptor::ReactorDescriptor,
        effects::{Effect, EffectEvent, EffectsOf},
        limits::RuntimeLimits,
    },
};

/// An answer as a reactor returned it.
pub(super) struct Returned<'a> {
    pub(super) position: u64,
    pub(super) part: u32,
    pub(super) effects: Vec<effects::Effect<'a>>,
}

/// What breaks the contract in the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The event whose answer is wrong; `None` if it is of no event of the batch.
    pub(super) position: Option<Position>,
    /// What is wrong.
    pub(super) message: String,
}

/// Checks the answers of the reactor `name` to these events: they are in the order of the events, at most one for each, and of effects
/// that can be carried out. Answers without effects are left out.
pub(super) fn check<E: Borrow<Delivery>>(
    answers: Vec<Returned<'_>>,
    events: &[E],
    descriptor: &ReactorDescriptor,
    limits: &RuntimeLimits,
) -> Result<Vec<EffectsOf>, Breach> {
    let mut rest = events.iter().map(Borrow::borrow);
    let (mut before, mut bytes) = (None, 0);
    let mut checked = Vec::with_capacity(answers.len());
    for Returned { position, part, effects } in answers {
        let is_answered = |event: &&Delivery| (event.position.0, event.part) == (position, part);
        let Some(event) = rest.find(is_answered) else {
            let known = events.iter().map(Borrow::borrow).find(is_answered);
            return Err(misplaced((position, part), before, known));
        };
        before = Some((position, part));
        bytes += effects.iter().map(effects::Effect::bytes).sum::<usize>();
        let answer = effects::check_all(&descriptor.sinks, &effects, &limits.of_effects())
            .and_then(|()| effects.iter().map(effect).collect::<Result<Vec<_>, _>>())
            .map_err(|reason| format!("it answered `{}`: {reason}", event.event_type));
        let within = check_batch_effects(bytes, limits.max_batch_effect_bytes).map_err(|error| error.to_string());
        let effects = within.and(answer).map_err(|message| Breach { position: Some(event.position), message })?;
        if !effects.is_empty() {
            checked.push(EffectsOf { position: event.position, part, effects });
        }
    }
    Ok(checked)
}

/// The breach of an answer that is of no event, or not of one that comes after the one before.
fn misplaced(answer: (u64, u32), before: Option<(u64, u32)>, known: Option<&Delivery>) -> Breach {
    let shown = |(position, part): (u64, u32)| match part {
        0 => format!("position {position}"),
        part => format!("position {position}, part {part}"),
    };
    let message = match (before, known) {
        (Some(before), Some(_)) => format!(
            "it answered {} after {}; answers are in the order of the events, at most one for each",
            shown(answer),
            shown(before)
        ),
        _ => format!("it answered {}, which is not in the batch", shown(answer)),
    };
    Breach { position: known.map(|event| event.position), message }
}

/// An effect that [`effects::check_all`] admits.
fn effect(effect: &effects::Effect<'_>) -> Result<Effect, String> {
    Ok(match effect {
        effects::Effect::Append { stream, expected, events } => Effect::Append {
            stream: StreamName::new(*stream).map_err(|error| error.to_string())?,
            expected: match expected {
                None => ExpectedVersion::Any,
                Some(0) => ExpectedVersion::NoStream,
                Some(version) => ExpectedVersion::Exact(StreamVersion(*version)),
            },
            events: events.iter().map(new_event).collect::<Result<_, _>>()?,
        },
        effects::Effect::Publish { sink, message_type, subject, data } => Effect::Publish {
            sink: identifier(sink)?,
            message_type: (*message_type).to_owned(),
            subject: subject.map(str::to_owned),
            data: json("the data of a message", data)?,
        },
        effects::Effect::Call { sink, name, data } => Effect::Call {
            sink: identifier(sink)?,
            name: (*name).to_owned(),
            data: json(&format!("the data of the call `{name}`"), data)?,
        },
        effects::Effect::Schedule { name, at, data } => Effect::Schedule {
            name: (*name).to_owned(),
            at: *at,
            data: json(&format!("the data of the schedule `{name}`"), data)?,
        },
        effects::Effect::Cancel { name } => Effect::Cancel { name: (*name).to_owned() },
    })
}

fn new_event(event: &NewEvent<'_>) -> Result<EffectEvent, String> {
    let NewEvent { event_type, schema_version, data, metadata, tags } = event;
    let tags: Result<Vec<Tag>, _> = tags.iter().map(Tag::new).collect();
    Ok(EffectEvent {
        event_type: EventType::new(*event_type).map_err(|error| error.to_string())?,
        schema_version: SchemaVersion::try_from(*schema_version).map_err(|error| error.to_string())?,
        data: json(&format!("the data of an event `{event_type}`"), data)?,
        metadata: metadata
            .map(|metadata| json(&format!("the metadata of an event `{event_type}`"), metadata))
            .transpose()?,
        tags: distinct_tags(tags.map_err(|error| error.to_string())?),
    })
}

fn identifier(sink: &str) -> Result<Identifier, String> {
    Identifier::new(sink).map_err(|error| error.to_string())
}

/// The text of a reactor as JSON. Its grammar is checked here, since only the log knows what it takes.
fn json(what: &str, text: &str) -> Result<JsonText, String> {
    JsonText::parse(text).map_err(|error| format!("{what} is refused: {error}"))
}
