//! Words of answers.

/// An enum of words, each with its text on the wire. Every such enum has a last variant, `Other`, for a word that this program does
/// not know: a client shows it as it is.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A word that this program does not know.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Other(word),
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

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use words;

#[cfg(test)]
mod tests {
    use crate::api::Purpose;

    #[test]
    fn a_word_that_is_not_known_is_kept() {
        for (json, purpose) in [("\"verify\"", Purpose::Verify), ("\"archive\"", Purpose::Other("archive".to_owned()))]
        {
            assert_eq!(serde_json::from_str::<Purpose>(json).unwrap(), purpose);
            assert_eq!(serde_json::to_string(&purpose).unwrap(), json);
            assert_eq!(format!("\"{purpose}\""), json);
        }
    }
}
