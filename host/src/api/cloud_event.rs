//! Events that clients append as CloudEvents 1.0.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A CloudEvent in the JSON format, with extension attributes or without.
#[derive(Clone, Debug, Default, ToSchema)]
pub struct CloudEvent {
    /// `1.0`
    pub specversion: String,
    /// Its id, unique among those of its source. A UUID is the id of the event; of any other text and the source one is made, always the same.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// The type of the event.
    #[schema(rename = "type")]
    pub event_type: String,
    /// When it happened; if this is left out, the time of the append.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub time: Option<Box<RawValue>>,
    /// What happened, as JSON; `null` if it is left out.
    #[schema(value_type = Option<Value>)]
    pub data: Option<Box<RawValue>>,
    /// Binary data, which is refused: events hold JSON.
    #[schema(ignore)]
    pub data_base64: Option<Box<RawValue>>,
    /// All other attributes: `subject`, `datacontenttype`, `dataschema`, and extensions.
    #[schema(ignore)]
    pub others: Vec<(String, Box<RawValue>)>,
}

impl<'de> Deserialize<'de> for CloudEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Attributes)
    }
}

/// Reads the attributes. Not derived: what is not known is kept, and numbers lose no digit.
struct Attributes;

impl<'de> Visitor<'de> for Attributes {
    type Value = CloudEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvent, an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CloudEvent, A::Error> {
        let mut event = CloudEvent::default();
        let (mut specversion, mut id, mut source, mut event_type) = (None, None, None, None);
        while let Some(name) = map.next_key::<String>()? {
            let is_twice = match name.as_str() {
                "specversion" => specversion.replace(map.next_value()?).is_some(),
                "id" => id.replace(map.next_value()?).is_some(),
                "source" => source.replace(map.next_value()?).is_some(),
                "type" => event_type.replace(map.next_value()?).is_some(),
                "time" => event.time.replace(map.next_value()?).is_some(),
                "data" => event.data.replace(map.next_value()?).is_some(),
                "data_base64" => event.data_base64.replace(map.next_value()?).is_some(),
                _ => {
                    let is_twice = event.others.iter().any(|(known, _)| *known == name);
                    event.others.push((name.clone(), map.next_value()?));
                    is_twice
                }
            };
            if is_twice {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        let missing = A::Error::missing_field;
        event.specversion = specversion.ok_or_else(|| missing("specversion"))?;
        event.id = id.ok_or_else(|| missing("id"))?;
        event.source = source.ok_or_else(|| missing("source"))?;
        event.event_type = event_type.ok_or_else(|| missing("type"))?;
        Ok(event)
    }
}
