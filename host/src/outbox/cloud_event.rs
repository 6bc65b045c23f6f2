//! Messages and events as CloudEvents 1.0.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

use super::message::Message;
use crate::event_log::{RecordedEvent, Tag};

/// The media type of a CloudEvent in structured mode.
pub(super) const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// The media type of the data.
pub(super) const DATA_MEDIA_TYPE: &str = "application/json";

/// What a segment of a path may have beside letters and digits.
const SEGMENT: &AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');
/// What the value of an attribute in a header may not have.
const HEADER: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// A CloudEvent. In structured mode it is one JSON object; in binary mode its attributes are in headers.
#[derive(Debug)]
pub(super) struct CloudEvent<'a> {
    /// Names and values, all of them texts: numbers of CloudEvents have 32 bits. An attribute that is there is not empty.
    attributes: Vec<(&'static str, String)>,
    data: &'a RawValue,
}

impl<'a> CloudEvent<'a> {
    /// A message of a reactor.
    pub(super) fn of_message(message: &Message, data: &'a RawValue) -> Self {
        let attributes = vec![
            ("specversion", "1.0".to_owned()),
            ("id", message.id.to_string()),
            ("source", format!("/reactors/{}", utf8_percent_encode(&message.reactor, SEGMENT))),
            ("type", message.message_type.clone()),
            ("subject", message.subject.clone().unwrap_or_default()),
            ("time", message.time.to_string()),
            ("partitionkey", message.key.clone()),
            ("gnomonposition", message.position.to_string()),
            // The extension for distributed tracing: where the event comes from, whatever hops the message takes.
            ("traceparent", message.traceparent.clone().unwrap_or_default()),
        ];
        Self::of(attributes, data)
    }

    /// An event of the log.
    pub(super) fn of_event(event: &RecordedEvent, data: &'a RawValue) -> Self {
        let tags = event.tags.iter().map(Tag::as_str).collect::<Vec<_>>();
        let attributes = vec![
            ("specversion", "1.0".to_owned()),
            ("id", event.id.to_string()),
            ("source", format!("/streams/{}", utf8_percent_encode(event.stream.as_str(), SEGMENT))),
            ("type", event.event_type.as_str().to_owned()),
            ("time", event.time.to_string()),
            ("partitionkey", event.stream.as_str().to_owned()),
            ("gnomonposition", event.position.to_string()),
            ("gnomonversion", event.version.to_string()),
            ("schemaversion", event.schema_version.to_string()),
            ("gnomontags", if tags.is_empty() { String::new() } else { serde_json::json!(tags).to_string() }),
            (
                "gnomonmetadata",
                event.metadata.as_ref().map_or_else(String::new, |metadata| metadata.as_str().to_owned()),
            ),
        ];
        Self::of(attributes, data)
    }

    fn of(mut attributes: Vec<(&'static str, String)>, data: &'a RawValue) -> Self {
        attributes.retain(|(_, value)| !value.is_empty());
        Self { attributes, data }
    }

    /// The object of structured mode.
    pub(super) fn structured(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// The attributes as headers of binary mode: names without `ce-`, and values as headers may have them. The media type of the data is not among
    /// them.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.attributes.iter().map(|(name, value)| (*name, utf8_percent_encode(value, HEADER).to_string()))
    }
}

impl Serialize for CloudEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.attributes.len() + 2))?;
        for (name, value) in &self.attributes {
            object.serialize_entry(name, value)?;
        }
        object.serialize_entry("datacontenttype", DATA_MEDIA_TYPE)?;
        object.serialize_entry("data", self.data)?;
        object.end()
    }
}
