//! Events as projections and upcasters read them.

mod events;
mod instants;
mod payload;
mod raw;
mod text;

use gnomon_values::names;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub(crate) use self::raw::RawEvent;
pub use self::{
    events::{Events, WantedType},
    payload::Payload,
    text::EventText,
};
use crate::{Failure, Timestamp, reading};

/// An event of the log, as upcasters have left it, with its data read into `E`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<E> {
    /// 1, 2, 3 … within the whole log.
    pub position: u64,
    /// 0, 1, 2 … among the events into which upcasters split the one at `position`; 0 where nothing was split.
    pub part: u32,
    /// The stream's name, such as `account-4711`.
    pub stream: EventText,
    /// 1, 2, 3 … within the stream.
    pub version: u64,
    /// The event's id.
    pub id: Uuid,
    /// The event's type in the log, such as `MoneyDeposited`.
    pub event_type: EventText,
    /// The version of the shape of the data, from 1.
    pub schema_version: u32,
    /// What happened.
    pub data: E,
    /// When it happened, as its writer says, in whole microseconds. A module has no other clock.
    pub time: Timestamp,
    /// When it was appended to the log.
    pub recorded_at: Timestamp,
    metadata: Option<EventText>,
    tags: Vec<String>,
}

impl<E> Event<E> {
    /// The part of the stream's name before the first `-`: `account` of `account-4711`. The whole name if there is no `-`.
    pub fn category(&self) -> &str {
        names::split_stream(&self.stream).0
    }

    /// The part of the stream's name after the first `-`: `4711` of `account-4711`. Empty if there is no `-`.
    pub fn stream_id(&self) -> &str {
        names::split_stream(&self.stream).1
    }

    /// The short texts by which the event is found across streams, such as `course:c1`: each once, in the order of their writer. Which
    /// of them a projection reads is said by [`TAGS`](crate::Projection::TAGS).
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Whether the event has this tag.
    pub fn is_tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// The event's metadata, if it has any.
    ///
    /// # Errors
    /// There is metadata, but it does not fit `M`.
    pub fn metadata<M: DeserializeOwned>(&self) -> Result<Option<M>, Failure> {
        let Some(text) = &self.metadata else { return Ok(None) };
        reading::part_of_event("metadata", text).map(Some)
    }
}

impl RawEvent {
    /// Reads the data as an event of a projection.
    ///
    /// # Errors
    /// The data does not fit; returns the event with the failure.
    pub(crate) fn read<E: Events>(self) -> Result<Event<E>, UnreadableEvent> {
        self.read_by(E::read)
    }

    /// Reads the data as a `D`.
    ///
    /// # Errors
    /// The data does not fit; returns the event with the failure.
    pub(crate) fn read_data<D: DeserializeOwned>(self) -> Result<Event<D>, UnreadableEvent> {
        self.read_by(|payload| payload.parse())
    }

    fn read_by<E>(self, read: impl FnOnce(Payload<'_>) -> Result<E, Failure>) -> Result<Event<E>, UnreadableEvent> {
        let (time, recorded_at) = instants::converted(self.time, self.recorded_at);
        match read(Payload::new(&self)) {
            Ok(data) => Ok(Event {
                position: self.position,
                part: self.part,
                stream: self.stream,
                version: self.version,
                id: self.id,
                event_type: self.event_type,
                schema_version: self.schema_version,
                data,
                time,
                recorded_at,
                metadata: self.metadata,
                tags: self.tags,
            }),
            Err(failure) => Err(Box::new((self, failure))),
        }
    }
}

/// An event whose data does not fit, and the failure.
type UnreadableEvent = Box<(RawEvent, Failure)>;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(crate::Events, Debug)]
    enum Opening {
        #[event("Opened")]
        Opened(Opened),
    }

    #[derive(Deserialize, Debug)]
    struct Opened {
        owner: String,
    }

    fn raw(stream: &str) -> RawEvent {
        RawEvent {
            position: 9,
            part: 0,
            stream: stream.to_owned().into(),
            version: 2,
            id: Uuid::nil(),
            event_type: "Opened".to_owned().into(),
            schema_version: 1,
            data: r#"{"owner":"ann","more":[1]}"#.to_owned().into(),
            metadata: None,
            time: -1,
            recorded_at: 0,
            tags: vec!["course:c1".to_owned(), "student:s7".to_owned()],
        }
    }

    fn read(raw: RawEvent) -> Result<Event<Opening>, String> {
        raw.read().map_err(|unreadable| unreadable.1.to_string())
    }

    #[test]
    fn a_stream_is_a_category_and_an_id() {
        for (stream, category, id) in [
            ("account-1", "account", "1"),
            ("flight-2013-UA", "flight", "2013-UA"),
            ("all", "all", ""),
            ("-1", "", "1"),
        ] {
            let event = read(raw(stream)).unwrap();
            assert_eq!((event.category(), event.stream_id()), (category, id), "{stream}");
        }
    }

    #[test]
    fn an_event_has_all_fields_of_the_log() {
        let event = read(raw("account-1")).unwrap();
        let Opening::Opened(opened) = &event.data;
        assert_eq!(opened.owner, "ann");
        assert_eq!((event.position, event.version, event.event_type.as_str()), (9, 2, "Opened"));
        assert_eq!(event.time, Timestamp::from_timestamp_micros(-1).unwrap());
        assert_eq!(event.recorded_at, Timestamp::UNIX_EPOCH);
        assert_eq!(event.tags(), ["course:c1", "student:s7"]);
        assert_eq!(["student:s7", "student:s", "STUDENT:S7"].map(|tag| event.is_tagged(tag)), [true, false, false]);
    }

    #[test]
    fn metadata_is_read_into_any_type() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct By {
            user: String,
        }
        let event = |metadata: Option<&str>| {
            read(RawEvent { metadata: metadata.map(|text| text.to_owned().into()), ..raw("account-1") }).unwrap()
        };
        assert_eq!(event(None).metadata::<By>(), Ok(None));
        assert_eq!(event(Some(r#"{"user":"ann"}"#)).metadata(), Ok(Some(By { user: "ann".to_owned() })));
        let failure = event(Some(r#"{"user":5}"#)).metadata::<By>().unwrap_err().to_string();
        let expected =
            "its metadata does not fit By: in `user`: invalid type: integer `5`, expected a string at line 1 column 9";
        assert_eq!(failure, expected);
        let failure = event(Some("{}")).metadata::<By>().unwrap_err().to_string();
        assert_eq!(failure, "its metadata does not fit By: missing field `user` at line 1 column 2");
    }

    #[test]
    fn data_that_does_not_fit_is_described() {
        let unfit = |event: RawEvent| read(event).unwrap_err();
        let data = unfit(RawEvent { data: "{}".to_owned().into(), ..raw("account-1") });
        assert_eq!(data, "its data does not fit Opened: missing field `owner` at line 1 column 2");
        let unasked = unfit(RawEvent { event_type: "Closed".to_owned().into(), ..raw("account-1") });
        assert_eq!(unasked, "this module does not read events of type `Closed`");
    }

    /// Every time that the log holds can be read.
    #[test]
    fn events_with_times_out_of_range_can_be_read() {
        for (micros, time) in [(i64::MIN, Timestamp::MIN_UTC), (i64::MAX, Timestamp::MAX_UTC)] {
            let event = read(RawEvent { time: micros, recorded_at: micros, ..raw("account-1") }).unwrap();
            assert_eq!((event.time, event.recorded_at), (time, time));
        }
    }
}
