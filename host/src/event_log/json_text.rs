//! JSON as its writer wrote it.

use std::{borrow::Cow, fmt};

use gnomon_values::json::json_depth;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// JSON text that nobody has looked into beyond its grammar: the writer's own blanks, order of fields and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(Box<str>);

/// Why a text is no JSON that an event may hold.
#[derive(Debug, thiserror::Error)]
pub enum JsonTextError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Malformed(serde_json::Error),
    /// Its arrays and objects lie too deep within each other.
    #[error("the depth of its JSON is {found}; the limit max_json_depth is {max}", max = JsonText::MAX_DEPTH)]
    Deep {
        /// How deep they lie.
        found: usize,
    },
    /// It has half a surrogate pair (`"\ud800"`), which JSON's grammar admits and no text can hold.
    #[error("the JSON has a string that is no Unicode text: {0}")]
    Unicode(serde_json::Error),
}

impl JsonText {
    /// Arrays and objects within each other that a JSON text may have: what serde_json reads unasked, and with it most
    /// modules.
    pub const MAX_DEPTH: usize = gnomon_values::limits::MAX_JSON_DEPTH;

    /// Takes text that an event may hold, without the blanks around it.
    ///
    /// # Errors
    /// It is not JSON, or not such as an event may hold.
    pub fn parse(text: &str) -> Result<Self, JsonTextError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(JsonTextError::Malformed)?;
        let json = Self(raw.get().into());
        json.check()?;
        Ok(json)
    }

    /// Checks what the grammar does not say. No module could read what is refused here, and an event is for ever.
    pub(super) fn check(&self) -> Result<(), JsonTextError> {
        let found = self.depth();
        if found > Self::MAX_DEPTH {
            return Err(JsonTextError::Deep { found });
        }
        if self.0.contains("\\u") {
            serde_json::from_str::<Texts>(&self.0).map_err(JsonTextError::Unicode)?;
        }
        Ok(())
    }

    /// How deep arrays and objects lie within each other; 0 for a text that is too short to be too deep.
    fn depth(&self) -> usize {
        if self.0.len() <= Self::MAX_DEPTH {
            return 0;
        }
        json_depth(&self.0)
    }

    /// Takes text that is known to be JSON: the log checked it when it came in, and Postgres did.
    pub(super) fn trusted(text: String) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Box<RawValue>> for JsonText {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw.into())
    }
}

impl From<JsonText> for String {
    fn from(text: JsonText) -> Self {
        text.0.into()
    }
}

/// Reads every text of a JSON, and keeps nothing. A number of any size is as good as another.
struct Texts;

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Texts {
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

    /// Numbers beyond 64 bits and fractions come as maps, too.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Cow<'de, str>, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_as_it_is_without_the_blanks_around_it() {
        assert_eq!(JsonText::parse(" {\"b\": 1,  \"a\": 1.0} ").unwrap().as_str(), "{\"b\": 1,  \"a\": 1.0}");
    }

    #[test]
    fn numbers_of_any_size_and_keys_of_any_name_stand_beside_escapes() {
        for text in [
            r#"{"\u00e9":[1e400,-0,1.5,99999999999999999999,null,true,-1]}"#,
            r#"["\u00e9",{"$serde_json::private::Number":"x"}]"#,
        ] {
            assert_eq!(JsonText::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_an_event_may_not_hold_is_said() {
        let refused = |text: &str| JsonText::parse(text).unwrap_err().to_string();
        assert!(refused("{} x").starts_with("it is not JSON: trailing characters"));
        assert!(refused("").starts_with("it is not JSON: EOF"));
        assert!(refused(r#""\ud800""#).starts_with("the JSON has a string that is no Unicode text"));
        assert!(refused(r#"{"\ud800":1}"#).starts_with("the JSON has a string that is no Unicode text"));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(JsonText::parse(&nested(127)).is_ok());
        assert_eq!(refused(&nested(128)), "the depth of its JSON is 128; the limit max_json_depth is 127");
    }
}
