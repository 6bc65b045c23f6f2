//! Names of projections, tables, columns and indexes.

use std::fmt;

use gnomon_values::{limits::MAX_NAME_BYTES, names};
use serde::{Deserialize, Serialize};

use crate::postgres::sql_text;

/// Why a text is not an [`Identifier`].
pub use gnomon_values::names::NameError as IdentifierError;

/// A name that needs no escaping in SQL, URLs and code: `[a-z_][a-z0-9_]*`, at most [`Identifier::MAX_BYTES`] long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// The length of a Postgres identifier (`NAMEDATALEN` − 1).
    pub const MAX_BYTES: usize = MAX_NAME_BYTES;

    /// Checks a name.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, IdentifierError> {
        let name = name.into();
        names::check(&name)?;
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in double quotes, so that SQL does not read it as a keyword.
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

sql_text!(Identifier);

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
