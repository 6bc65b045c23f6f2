//! Parameters of the pages of the log and of its streams.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, RefOr, Schema,
        schema::{AnyOf, KnownFormat, SchemaFormat, Type},
    },
};

/// The parameter `after`: where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// After this position or version.
    Number(u64),
    /// After the newest event, `head`: for followers only.
    Head,
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "head" {
            return Ok(Self::Head);
        }
        let number = text.parse().map(Self::Number);
        number.map_err(|_| D::Error::custom(format!("`after` must be a number or `head`; it is `{text}`")))
    }
}

impl PartialSchema for After {
    fn schema() -> RefOr<Schema> {
        let number = Object::builder()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0));
        let word = Object::builder().schema_type(Type::String).enum_values(Some(["head"]));
        let about = "A number, or `head` for followers: after the newest event.";
        AnyOf::builder().item(number).item(word).description(Some(about)).into()
    }
}

impl ToSchema for After {}

impl Serialize for After {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.collect_str(number),
            Self::Head => serializer.serialize_str("head"),
        }
    }
}

/// The order in which events are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From older to newer.
    #[default]
    Forward,
    /// From newer to older.
    Backward,
}
