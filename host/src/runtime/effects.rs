//! What a reactor answers events with: effects, which the host carries out.

use gnomon_values::Instant;
use uuid::Uuid;

use crate::{
    event_log::{EventId, EventType, ExpectedVersion, JsonText, NewEvent, Position, SchemaVersion, StreamName, Tag},
    read_model::Identifier,
};

/// The effects of an event, in their order; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectsOf {
    /// The position of the event.
    pub position: Position,
    /// Which of the events it is into which upcasters split the one at that position.
    pub part: u32,
    /// The effects.
    pub effects: Vec<Effect>,
}

/// Something that the host does for a reactor. All of it was checked: names, sizes and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Appends events to a stream, all or none.
    Append {
        /// The stream, which is not one of the host's own.
        stream: StreamName,
        /// The version that the stream must have.
        expected: ExpectedVersion,
        /// The events, at least one.
        events: Vec<EffectEvent>,
    },
    /// Sends a message to a sink.
    Publish {
        /// One of the sinks that the reactor names.
        sink: Identifier,
        /// What the message says, such as `flight.late`.
        message_type: String,
        /// What it is about.
        subject: Option<String>,
        /// What it carries.
        data: JsonText,
    },
    /// Calls a sink, whose answer comes back as an event of the reactor's own.
    Call {
        /// One of the sinks that the reactor names.
        sink: Identifier,
        /// Under which the answer comes back.
        name: String,
        /// What it carries.
        data: JsonText,
    },
    /// Delivers an event of the reactor's own at a time; replaces the schedule of the same name.
    Schedule {
        /// Its name.
        name: String,
        /// When.
        at: Instant,
        /// What the event carries.
        data: JsonText,
    },
    /// Removes a schedule, if there is one of this name.
    Cancel {
        /// The name.
        name: String,
    },
}

/// An event with which a reactor answers another, to be appended under an id that is derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectEvent {
    /// Its type.
    pub event_type: EventType,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// JSON.
    pub data: JsonText,
    /// JSON.
    pub metadata: Option<JsonText>,
    /// Its tags, each once.
    pub tags: Vec<Tag>,
}

impl EffectEvent {
    /// The event with its [id](effect_id), as the log takes it. Its time is that of the commit if none is given.
    #[must_use]
    pub fn into_new_event(self, id: Uuid, time: Option<Instant>) -> NewEvent {
        let Self { event_type, schema_version, data, metadata, tags } = self;
        NewEvent { id: EventId::Given(id), event_type, schema_version, time, data, metadata, tags }
    }

    fn bytes(&self) -> usize {
        let Self { event_type, data, metadata, tags, .. } = self;
        let tags = tags.iter().map(|tag| size_of::<Tag>() + tag.as_str().len()).sum::<usize>();
        let metadata = metadata.as_ref().map_or(0, |metadata| metadata.as_str().len());
        size_of::<Self>() + event_type.as_str().len() + data.as_str().len() + metadata + tags
    }
}

impl Effect {
    /// How many numbers the effect takes: an append one for each of its events, any other one.
    #[must_use]
    pub fn numbers(&self) -> u32 {
        match self {
            // `max_effects` bounds it.
            Self::Append { events, .. } => u32::try_from(events.len()).unwrap_or(u32::MAX),
            _ => 1,
        }
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = match self {
            Self::Append { stream, events, .. } => {
                stream.as_str().len() + events.iter().map(EffectEvent::bytes).sum::<usize>()
            }
            Self::Publish { message_type, subject, data, .. } => {
                message_type.len() + subject.as_ref().map_or(0, String::len) + data.as_str().len()
            }
            Self::Call { name, data, .. } | Self::Schedule { name, data, .. } => name.len() + data.as_str().len(),
            Self::Cancel { name } => name.len(),
        };
        size_of::<Self>() + texts
    }
}

/// An effect with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedEffect<'e> {
    /// The position of the event that it answers.
    pub position: Position,
    /// 0, 1, 2 … among the effects of that position, over all parts. The events of an append have this number and the ones after it;
    /// the event that says that the append was refused has this one.
    pub number: u32,
    /// The effect.
    pub effect: &'e Effect,
}

/// Numbers effects, so that each has an [id](effect_id). Those of one position must be together, all of them, in the order in which
/// the reactor answered.
pub fn numbered(answers: &[EffectsOf]) -> impl Iterator<Item = NumberedEffect<'_>> {
    let mut next = (Position(0), 0);
    answers.iter().flat_map(|answer| answer.effects.iter().map(|effect| (answer.position, effect))).map(
        move |(position, effect)| {
            let number = if next.0 == position { next.1 } else { 0 };
            next = (position, number + effect.numbers());
            NumberedEffect { position, number, effect }
        },
    )
}

/// The id of what an effect makes: of an event that is appended, of a message, of the event of a schedule. It depends on nothing but the
/// reactor (the id of its lineage, which all of its versions have in common), the position of the event that was answered, and the
/// [number](NumberedEffect::number) there. So it is the same however often the event is handled.
#[must_use]
pub fn effect_id(lineage: Uuid, position: Position, number: u32) -> Uuid {
    Uuid::new_v5(&lineage, format!("{position}/{number}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancel() -> Effect {
        Effect::Cancel { name: "a".to_owned() }
    }

    fn append(events: usize) -> Effect {
        let event = EffectEvent {
            event_type: EventType::new("Opened").unwrap(),
            schema_version: SchemaVersion::FIRST,
            data: JsonText::parse("{}").unwrap(),
            metadata: None,
            tags: Vec::new(),
        };
        let stream = StreamName::new("a-1").unwrap();
        Effect::Append { stream, expected: ExpectedVersion::Any, events: vec![event; events] }
    }

    #[test]
    fn numbers_count_over_the_parts_and_the_appended_events_of_a_position() {
        let of = |position, part, effects| EffectsOf { position: Position(position), part, effects };
        let answers = [
            of(3, 0, vec![cancel(), append(2), cancel()]),
            of(3, 2, vec![append(1), cancel()]),
            of(5, 0, vec![cancel()]),
        ];
        let numbers: Vec<(u64, u32)> =
            numbered(&answers).map(|numbered| (numbered.position.0, numbered.number)).collect();
        assert_eq!(numbers, [(3, 0), (3, 1), (3, 3), (3, 4), (3, 5), (5, 0)]);
    }

    /// Ids are in logs and in receivers' records, so this must never change.
    #[test]
    fn an_id_is_what_it_always_was() {
        let lineage = Uuid::from_u128(7);
        let id = effect_id(lineage, Position(42), 1);
        assert_eq!(id.to_string(), "46949ad7-8d9f-5324-a44c-1fa62e315bf9");
        assert_eq!(id.get_version_num(), 5);
        let others = [(lineage, 42, 0), (lineage, 421, 1), (lineage, 4, 21), (Uuid::from_u128(8), 42, 1)];
        for (lineage, position, number) in others {
            assert_ne!(effect_id(lineage, Position(position), number), id);
        }
    }
}
