//! JSON as its writer wrote it.

use std::{borrow::Cow, fmt};

use bytestring::ByteString;
use gnomon_values::{
    json::json_depth,
    limits::{self, LimitError, MAX_JSON_DEPTH},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// JSON text that an event may hold, with the writer's own blanks, order of fields and numbers. Every value has been checked:
/// its grammar, its depth and its strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(ByteString);

/// Why an event may not hold a text.
#[derive(Debug, thiserror::Error)]
pub enum JsonTextError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Malformed(serde_json::Error),
    /// Its arrays and objects are nested too deep.
    #[error(transparent)]
    Depth(LimitError),
    /// It has half a surrogate pair (`"\ud800"`), which JSON's grammar admits and not Unicode text can hold.
    #[error("the JSON has a string that is not Unicode text: {0}")]
    Unicode(serde_json::Error),
}

impl JsonText {
    /// Checks a text, and takes it without the blanks around it.
    ///
    /// # Errors
    /// It is not JSON, or an event may not hold it.
    pub fn parse(text: &str) -> Result<Self, JsonTextError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(JsonTextError::Malformed)?;
        check(raw.get())?;
        Ok(Self(raw.get().into()))
    }

    /// Takes text that is known to be JSON: both the log and Postgres checked it when it was appended.
    pub(super) fn trusted(text: impl Into<ByteString>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Box<RawValue>> for JsonText {
    type Error = JsonTextError;

    /// Checks what serde_json has not: depth and strings. Copies nothing.
    fn try_from(raw: Box<RawValue>) -> Result<Self, JsonTextError> {
        check(raw.get())?;
        Ok(Self(String::from(Box::<str>::from(raw)).into()))
    }
}

/// Checks of a text that is JSON what the grammar does not say. An event stays in the log for ever, and no module could read
/// what is refused here.
fn check(json: &str) -> Result<(), JsonTextError> {
    // A text can only be as deep as it is long.
    let depth = if json.len() <= MAX_JSON_DEPTH { 0 } else { json_depth(json) };
    limits::check("depth of the JSON", "max_json_depth", depth, MAX_JSON_DEPTH).map_err(JsonTextError::Depth)?;
    if json.contains("\\u") {
        serde_json::from_str::<DecodedStrings>(json).map_err(JsonTextError::Unicode)?;
    }
    Ok(())
}

impl From<JsonText> for String {
    fn from(text: JsonText) -> Self {
        text.0.into()
    }
}

impl From<JsonText> for ByteString {
    fn from(text: JsonText) -> Self {
        text.0
    }
}

/// Decodes every string of a JSON text, and keeps nothing. Numbers may have any size.
struct DecodedStrings;

impl<'de> Deserialize<'de> for DecodedStrings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for DecodedStrings {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    /// Fractions and numbers beyond 64 bits are visited as maps, too.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Cow<'de, str>, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_as_written_without_the_blanks_around_it() {
        assert_eq!(JsonText::parse(" {\"b\": 1,  \"a\": 1.0} ").unwrap().as_str(), "{\"b\": 1,  \"a\": 1.0}");
    }

    #[test]
    fn numbers_of_any_size_and_keys_of_any_name_are_admitted_beside_escapes() {
        for text in [
            r#"{"\u00e9":[1e400,-0,1.5,99999999999999999999,null,true,-1]}"#,
            r#"["\u00e9",{"$serde_json::private::Number":"x"}]"#,
        ] {
            assert_eq!(JsonText::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn both_constructors_refuse_what_an_event_may_not_hold() {
        let refused = |text: &str| {
            let error = JsonText::parse(text).unwrap_err().to_string();
            if let Ok(raw) = RawValue::from_string(text.to_owned()) {
                assert_eq!(JsonText::try_from(raw).unwrap_err().to_string(), error);
            }
            error
        };
        assert!(refused("{} x").starts_with("it is not JSON: trailing characters"));
        assert!(refused("").starts_with("it is not JSON: EOF"));
        assert!(refused(r#""\ud800""#).starts_with("the JSON has a string that is not Unicode text"));
        assert!(refused(r#"{"\ud800":1}"#).starts_with("the JSON has a string that is not Unicode text"));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(JsonText::parse(&nested(127)).is_ok());
        assert_eq!(refused(&nested(128)), "depth of the JSON: 128; the limit max_json_depth is 127");
    }
}
