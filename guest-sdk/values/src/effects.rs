//! Effects: what reactors answer events with.

use std::fmt;

use crate::{
    Instant,
    json::json_depth,
    limits::{self, MAX_JSON_DEPTH, check},
    names,
    wanted::{is_schema_version, not_a_schema_version},
};

/// An effect as a reactor hands it over.
#[derive(Clone, Debug)]
pub enum Effect<'a> {
    /// Events to be appended to a stream.
    Append {
        /// The stream.
        stream: &'a str,
        /// The version that the stream must have; `None` if any will do.
        expected: Option<u64>,
        /// The events.
        events: Vec<NewEvent<'a>>,
    },
    /// A message for a sink.
    Publish {
        /// The sink.
        sink: &'a str,
        /// Its type.
        message_type: &'a str,
        /// What it is about.
        subject: Option<&'a str>,
        /// JSON text.
        data: &'a str,
    },
    /// A call of a sink.
    Call {
        /// The sink.
        sink: &'a str,
        /// Under which the answer comes back.
        name: &'a str,
        /// JSON text.
        data: &'a str,
    },
    /// An event of the reactor's own, at a time.
    Schedule {
        /// The name.
        name: &'a str,
        /// When.
        at: Instant,
        /// JSON text.
        data: &'a str,
    },
    /// The end of a schedule.
    Cancel {
        /// Its name.
        name: &'a str,
    },
}

/// An event to be appended.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// Its type.
    pub event_type: &'a str,
    /// The version of the shape of its data.
    pub schema_version: u32,
    /// JSON text.
    pub data: &'a str,
    /// JSON text.
    pub metadata: Option<&'a str>,
    /// Its tags.
    pub tags: &'a [String],
}

/// The limits of the effects of one event.
#[derive(Clone, Copy, Debug)]
pub struct EffectLimits {
    /// Effects; an append counts as many as it has events.
    pub max_effects: usize,
    /// Bytes of the data of a message, a call or a schedule.
    pub max_message_bytes: usize,
    /// Bytes of the name of a stream, of a schedule and of a call.
    pub max_stream_name_bytes: usize,
    /// Bytes of data and metadata of an event.
    pub max_event_bytes: usize,
    /// Bytes of the type of an event or a message.
    pub max_event_type_bytes: usize,
    /// Tags of an event.
    pub max_event_tags: usize,
    /// Bytes of a tag.
    pub max_tag_bytes: usize,
}

impl Default for EffectLimits {
    fn default() -> Self {
        Self {
            max_effects: limits::DEFAULT_MAX_EFFECTS,
            max_message_bytes: limits::DEFAULT_MAX_MESSAGE_BYTES,
            max_stream_name_bytes: limits::DEFAULT_MAX_STREAM_NAME_BYTES,
            max_event_bytes: limits::DEFAULT_MAX_EVENT_BYTES,
            max_event_type_bytes: limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
            max_event_tags: limits::DEFAULT_MAX_EVENT_TAGS,
            max_tag_bytes: limits::DEFAULT_MAX_TAG_BYTES,
        }
    }
}

/// How many effects count: an append counts as many as it has events.
pub fn count<'e>(effects: impl IntoIterator<Item = &'e Effect<'e>>) -> usize {
    effects.into_iter().map(|effect| effect.count()).sum()
}

/// Checks the effects with which a reactor that names these sinks answers one event.
///
/// # Errors
/// Says what is wrong with which of them.
pub fn check_all<S: AsRef<str>>(sinks: &[S], effects: &[Effect<'_>], limits: &EffectLimits) -> Result<(), String> {
    limits::check_effects(count(effects), limits.max_effects).map_err(|error| error.to_string())?;
    let rules = Rules { limits, is_named: &|sink| sinks.iter().any(|named| named.as_ref() == sink) };
    for (number, effect) in (1..).zip(effects) {
        rules.check(effect).map_err(|reason| format!("effect {number}, {effect}: {reason}"))?;
    }
    Ok(())
}

impl Effect<'_> {
    /// The bytes of its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Append { stream, events, .. } => stream.len() + events.iter().map(NewEvent::bytes).sum::<usize>(),
            Self::Publish { sink, message_type, subject, data } => {
                sink.len() + message_type.len() + subject.map_or(0, str::len) + data.len()
            }
            Self::Call { sink, name, data } => sink.len() + name.len() + data.len(),
            Self::Schedule { name, data, .. } => name.len() + data.len(),
            Self::Cancel { name } => name.len(),
        }
    }

    /// How many effects it counts as.
    fn count(&self) -> usize {
        match self {
            Self::Append { events, .. } => events.len().max(1),
            _ => 1,
        }
    }
}

impl NewEvent<'_> {
    fn bytes(&self) -> usize {
        let tags: usize = self.tags.iter().map(String::len).sum();
        self.event_type.len() + self.data.len() + self.metadata.map_or(0, str::len) + tags
    }
}

/// The effect for messages, such as `an append`.
impl fmt::Display for Effect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Append { .. } => "an append",
            Self::Publish { .. } => "a message",
            Self::Call { .. } => "a call",
            Self::Schedule { .. } => "a schedule",
            Self::Cancel { .. } => "the end of a schedule",
        })
    }
}

/// The rules for the effects of a reactor.
struct Rules<'r> {
    limits: &'r EffectLimits,
    is_named: &'r dyn Fn(&str) -> bool,
}

impl Rules<'_> {
    fn check(&self, effect: &Effect<'_>) -> Result<(), String> {
        match effect {
            Effect::Append { stream, expected, events } => self.check_append(stream, *expected, events),
            Effect::Publish { sink, message_type, subject, data } => {
                self.check_sink(sink)?;
                names::check_message_type(message_type).map_err(|error| error.to_string())?;
                self.check_type("bytes of a message's type", message_type)?;
                if let Some(subject) = subject {
                    names::check_subject(subject).map_err(|error| error.to_string())?;
                    let max = self.limits.max_stream_name_bytes;
                    within("bytes of a message's subject", "max_stream_name_bytes", subject.len(), max)?;
                }
                self.check_data(data)
            }
            Effect::Call { sink, name, data } => {
                self.check_sink(sink)?;
                self.check_name(name)?;
                self.check_data(data)
            }
            Effect::Schedule { name, at, data } => {
                self.check_name(name)?;
                at.check().map_err(|error| error.to_string())?;
                self.check_data(data)
            }
            Effect::Cancel { name } => self.check_name(name),
        }
    }

    fn check_append(&self, stream: &str, expected: Option<u64>, events: &[NewEvent<'_>]) -> Result<(), String> {
        names::check_stream(stream).map_err(|error| error.to_string())?;
        if names::is_reserved(stream) {
            return Err(format!(
                "only the host itself appends to `{stream}`: names that begin with `gnomon:` are kept for its own events"
            ));
        }
        let max = self.limits.max_stream_name_bytes;
        within("bytes of a stream's name", "max_stream_name_bytes", stream.len(), max)?;
        if let Some(version) = expected
            && i64::try_from(version).is_err()
        {
            return Err(format!("no stream has a version {version}"));
        }
        if events.is_empty() {
            return Err(format!("it has no events for `{stream}`"));
        }
        events.iter().try_for_each(|event| self.check_event(event))
    }

    fn check_event(&self, event: &NewEvent<'_>) -> Result<(), String> {
        let NewEvent { event_type, schema_version, data, metadata, tags } = event;
        names::check_event_type(event_type).map_err(|error| error.to_string())?;
        self.check_type("bytes of an event's type", event_type)?;
        if !is_schema_version(*schema_version) {
            return Err(not_a_schema_version(*schema_version));
        }
        let bytes = data.len() + metadata.map_or(0, str::len);
        within("bytes of data and metadata of an event", "max_event_bytes", bytes, self.limits.max_event_bytes)?;
        check_depth(data)?;
        metadata.map_or(Ok(()), check_depth)?;
        within("tags of an event", "max_event_tags", tags.len(), self.limits.max_event_tags)?;
        tags.iter().try_for_each(|tag| {
            names::check_tag(tag).map_err(|error| error.to_string())?;
            within("bytes of a tag", "max_tag_bytes", tag.len(), self.limits.max_tag_bytes)
        })
    }

    fn check_sink(&self, sink: &str) -> Result<(), String> {
        if (self.is_named)(sink) {
            return Ok(());
        }
        let sink: String = sink.chars().take(100).collect();
        Err(format!("the sink `{sink}` is not among those that the reactor names"))
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        names::check_effect_name(name).map_err(|error| error.to_string())?;
        within("bytes of its name", "max_stream_name_bytes", name.len(), self.limits.max_stream_name_bytes)
    }

    fn check_type(&self, what: &'static str, name: &str) -> Result<(), String> {
        within(what, "max_event_type_bytes", name.len(), self.limits.max_event_type_bytes)
    }

    fn check_data(&self, data: &str) -> Result<(), String> {
        within("bytes of its data", "max_message_bytes", data.len(), self.limits.max_message_bytes)?;
        check_depth(data)
    }
}

fn within(what: &'static str, limit: &'static str, found: usize, max: usize) -> Result<(), String> {
    check(what, limit, found, max).map_err(|error| error.to_string())
}

fn check_depth(json: &str) -> Result<(), String> {
    within("depth of the JSON", "max_json_depth", json_depth(json), MAX_JSON_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: NewEvent<'static> =
        NewEvent { event_type: "Opened", schema_version: 1, data: "{}", metadata: None, tags: &[] };

    fn checked(effects: &[Effect<'_>]) -> Result<(), String> {
        check_all(&["mail"], effects, &EffectLimits::default())
    }

    fn refused(effect: Effect<'_>) -> String {
        checked(&[effect]).unwrap_err()
    }

    fn append<'a>(stream: &'a str, event: NewEvent<'a>) -> Effect<'a> {
        Effect::Append { stream, expected: Some(3), events: vec![event] }
    }

    fn publish<'a>(sink: &'a str, message_type: &'a str, data: &'a str) -> Effect<'a> {
        Effect::Publish { sink, message_type, subject: Some("flight-1"), data }
    }

    #[test]
    fn every_kind_of_effect_is_accepted() {
        let at = Instant(0);
        let effects = [
            append("account-1", EVENT),
            publish("mail", "flight.late", "{}"),
            Effect::Call { sink: "mail", name: "transfer 1", data: "1" },
            Effect::Schedule { name: "transfer 1", at, data: "null" },
            Effect::Cancel { name: "transfer 1" },
        ];
        assert_eq!(checked(&effects), Ok(()));
        assert_eq!(effects.iter().map(Effect::bytes).collect::<Vec<_>>(), [17, 25, 15, 14, 10]);
    }

    #[test]
    fn names_have_the_rules_of_the_log() {
        assert_eq!(
            refused(append("gnomon:settlement-1", EVENT)),
            "effect 1, an append: only the host itself appends to `gnomon:settlement-1`: names that begin with `gnomon:` are kept \
             for its own events"
        );
        assert_eq!(refused(append("", EVENT)), "effect 1, an append: the stream name must not be empty");
        let message = refused(append("a-1", NewEvent { event_type: "", ..EVENT }));
        assert_eq!(message, "effect 1, an append: the event type must not be empty");
        let message = refused(append("a-1", NewEvent { schema_version: 0, ..EVENT }));
        assert_eq!(message, "effect 1, an append: the schema version 0 is not between 1 and 2147483647");
        let message = refused(append("a-1", NewEvent { tags: &[String::new()], ..EVENT }));
        assert_eq!(message, "effect 1, an append: the tag must not be empty");
        let message = refused(Effect::Cancel { name: "a\u{7f}" });
        assert_eq!(
            message,
            "effect 1, the end of a schedule: the name \"a\\u{7f}\" contains the control character '\\u{7f}'"
        );
        let message = refused(publish("mail", "a\0", "1"));
        assert_eq!(message, "effect 1, a message: the message type \"a\\0\" contains the control character '\\0'");
        assert_eq!(
            refused(Effect::Append { stream: "a-1", expected: None, events: Vec::new() }),
            "effect 1, an append: it has no events for `a-1`"
        );
        assert_eq!(
            refused(Effect::Append { stream: "a-1", expected: Some(u64::MAX), events: vec![EVENT] }),
            "effect 1, an append: no stream has a version 18446744073709551615"
        );
    }

    #[test]
    fn a_sink_must_be_named() {
        assert_eq!(
            checked(&[publish("mail", "a", "1"), publish("fax", "a", "1")]).unwrap_err(),
            "effect 2, a message: the sink `fax` is not among those that the reactor names"
        );
    }

    #[test]
    fn sizes_have_limits_with_names() {
        let long = "x".repeat(256);
        assert_eq!(
            refused(Effect::Append { stream: &long, expected: None, events: vec![EVENT] }),
            "effect 1, an append: bytes of a stream's name: 256; the limit max_stream_name_bytes is 255"
        );
        // Whatever a stream may be called, its schedule, its call and the event that says that an append was refused may be called as well.
        for name in ["", &long[..255]] {
            assert_eq!(
                checked(&[Effect::Schedule { name, at: Instant(0), data: "1" }, Effect::Cancel { name }]),
                Ok(())
            );
        }
        assert_eq!(checked(&[append(&long[..255], EVENT)]), Ok(()));
        assert_eq!(
            refused(Effect::Cancel { name: &long }),
            "effect 1, the end of a schedule: bytes of its name: 256; the limit max_stream_name_bytes is 255"
        );
        let data = format!("\"{}\"", "x".repeat(256 * 1024));
        assert_eq!(
            refused(publish("mail", "a", &data)),
            "effect 1, a message: bytes of its data: 262146; the limit max_message_bytes is 262144"
        );
        assert_eq!(
            refused(Effect::Schedule { name: "a", at: Instant(i64::MAX), data: "1" }),
            format!("effect 1, a schedule: {}", Instant(i64::MAX).check().unwrap_err())
        );
        let deep = "[".repeat(128) + &"]".repeat(128);
        assert_eq!(
            refused(publish("mail", "a", &deep)),
            "effect 1, a message: depth of the JSON: 128; the limit max_json_depth is 127"
        );
        let many = vec![Effect::Append { stream: "a-1", expected: None, events: vec![EVENT; 501] }; 2];
        assert_eq!(checked(&many).unwrap_err(), "effects of one event: 1002; the limit max_effects is 1000");
    }
}
