//! The version that a stream must have for an append.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Unexpected, Visitor},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, RefOr, Schema,
        schema::{AnyOf, KnownFormat, SchemaFormat, Type},
    },
};

/// The version that a stream must have: `"any"`, `"no_stream"` or the version of its newest event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// Any version.
    #[default]
    Any,
    /// It has no events.
    NoStream,
    /// Its newest event has this version. A stream without events has version 0.
    Exact(u64),
}

impl PartialSchema for ExpectedVersion {
    fn schema() -> RefOr<Schema> {
        let word = Object::builder().schema_type(Type::String).enum_values(Some(["any", "no_stream"]));
        let version = Object::builder()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0));
        AnyOf::builder()
            .item(word)
            .item(version)
            .description(Some(
                "The version that the stream must have: `any`, `no_stream`, or the version of its newest event.",
            ))
            .default(Some("any".into()))
            .into()
    }
}

impl ToSchema for ExpectedVersion {}

impl Serialize for ExpectedVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::NoStream => serializer.serialize_str("no_stream"),
            Self::Exact(version) => serializer.serialize_u64(*version),
        }
    }
}

impl<'de> Deserialize<'de> for ExpectedVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExpectedVersionVisitor)
    }
}

/// As a parameter of a query string has it, where a number is a text as well.
pub(super) fn of_parameter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExpectedVersion>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let version = match text.as_str() {
        "any" => ExpectedVersion::Any,
        "no_stream" => ExpectedVersion::NoStream,
        number => ExpectedVersion::Exact(number.parse().map_err(|_| {
            D::Error::custom(format_args!(
                "`expected_version` must be `any`, `no_stream` or a version of the stream; it is `{number}`"
            ))
        })?),
    };
    Ok(Some(version))
}

struct ExpectedVersionVisitor;

impl<'de> Visitor<'de> for ExpectedVersionVisitor {
    type Value = ExpectedVersion;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"any\", \"no_stream\" or a version of the stream")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExpectedVersion, E> {
        match text {
            "any" => Ok(ExpectedVersion::Any),
            "no_stream" => Ok(ExpectedVersion::NoStream),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }

    fn visit_u64<E: Error>(self, version: u64) -> Result<ExpectedVersion, E> {
        Ok(ExpectedVersion::Exact(version))
    }

    /// serde_json also hands over numbers with a fraction or of more than 64 bits as maps.
    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<ExpectedVersion, A::Error> {
        let found = Unexpected::Other("an object, or a number that cannot be a version");
        Err(Error::invalid_type(found, &self))
    }
}
