//! Names of projections, tables, columns and indexes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that stands in SQL, in URLs and in code as it is: `[a-z_][a-z0-9_]*`, at most [`Identifier::MAX_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

/// Why a text is no [`Identifier`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing between the quotes.
    #[error("a name must not be empty")]
    Empty,
    /// Postgres would cut it short.
    #[error("the name `{name}` has {bytes} bytes; at most {} are allowed", Identifier::MAX_BYTES)]
    TooLong {
        /// The name.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// A character outside of `[a-z0-9_]`, or a digit in front.
    #[error("the name `{name}` must be made of a to z, 0 to 9 and _, and must not begin with a digit")]
    Character {
        /// The name.
        name: String,
    },
}

impl Identifier {
    /// The length of a Postgres identifier (`NAMEDATALEN` − 1).
    pub const MAX_BYTES: usize = 63;

    /// Checks a name.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, IdentifierError> {
        let name = name.into();
        let mut bytes = name.bytes();
        match bytes.next() {
            None => return Err(IdentifierError::Empty),
            Some(first) if !(first.is_ascii_lowercase() || first == b'_') => {
                return Err(IdentifierError::Character { name });
            }
            Some(_) => {}
        }
        if !bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return Err(IdentifierError::Character { name });
        }
        if name.len() > Self::MAX_BYTES {
            return Err(IdentifierError::TooLong { bytes: name.len(), name });
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as SQL writes it, in double quotes, so that no keyword gets in the way.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Identifier {
    type Error = IdentifierError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<Identifier> for String {
    fn from(name: Identifier) -> Self {
        name.0
    }
}

impl std::borrow::Borrow<str> for Identifier {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_taken() {
        for name in ["a", "_", "carrier_daily", "a1", &"x".repeat(63)] {
            assert_eq!(Identifier::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_sql_or_urls_would_bend_are_refused() {
        assert_eq!(Identifier::new(""), Err(IdentifierError::Empty));
        for name in ["Carrier", "1st", "with space", "a-b", "a\"b", "é", "a\0"] {
            assert_eq!(Identifier::new(name), Err(IdentifierError::Character { name: name.into() }));
        }
        let long = "x".repeat(64);
        assert_eq!(Identifier::new(&long), Err(IdentifierError::TooLong { name: long.clone(), bytes: 64 }));
    }
}
