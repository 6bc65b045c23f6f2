//! Enums of answers that may get more values.

use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::{Object, RefOr, Schema, Type};

/// An enum whose variants have a text each on the wire. Its last variant is `Other`, for a text that this program does not know: a
/// client shows it as it is.
macro_rules! open_enum {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident $text:literal,)* }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
            /// A value that this program does not know.
            Other(String),
        }

        impl $name {
            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::api::open_enum::words(concat!($($about),*), &[$(($text, concat!($($doc),*))),*])
            }
        }

        impl utoipa::ToSchema for $name {}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use open_enum;

/// The schema of an open enum: a text of which the words are known today. It is no `enum`, so that a program made of it accepts the
/// words of newer hosts; `x-extensible-enum` is what generators of programs know for that.
pub(super) fn words(about: &str, words: &[(&str, &str)]) -> RefOr<Schema> {
    let mut description = format!("{} More words may be added:\n", about.trim());
    for (word, meaning) in words {
        let _ = write!(description, "\n- `{word}`: {}", meaning.trim());
    }
    let names = || words.iter().map(|(word, _)| Value::from(*word));
    Object::builder()
        .schema_type(Type::String)
        .description(Some(description))
        .examples(names().take(1))
        .extensions(Some([("x-extensible-enum", names().collect::<Value>())].into_iter().collect()))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::api::OnFailure;

    #[test]
    fn an_unknown_value_is_kept() {
        for (json, policy) in [("\"park\"", OnFailure::Park), ("\"archive\"", OnFailure::Other("archive".to_owned()))] {
            assert_eq!(serde_json::from_str::<OnFailure>(json).unwrap(), policy);
            assert_eq!(serde_json::to_string(&policy).unwrap(), json);
            assert_eq!(format!("\"{policy}\""), json);
        }
    }
}
