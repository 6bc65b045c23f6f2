//! JSON in the one form in which a column keeps it, with every digit of its numbers.

mod depth;
mod form;
mod scan;

use std::fmt;

pub use self::{depth::json_depth, scan::numbers};
use crate::{limits::MAX_JSON_DEPTH, number::TooManyDigits};

/// Bytes by which the one form of a JSON text may be longer than the text: `1e1000` has a thousand digits.
pub const MAX_GROWTH: usize = 1024 * 1024;

/// JSON text in its one form: keys sorted, of equal keys the last, no blanks, strings escaped in one way, and numbers as plain
/// digits ([`Number::plain`](crate::number::Number::plain)).
///
/// It never changes a value: an integer stays an integer of any size, a float stays a float with every digit. It is what
/// Postgres' `jsonb` gives back but for blanks and the order of keys, so what a module reads is what it wrote, whether the row
/// came from memory or from Postgres.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalJson(String);

impl CanonicalJson {
    /// Brings JSON text to its one form.
    ///
    /// # Errors
    /// Not JSON, or JSON that Postgres cannot hold.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        form::canonical(text).map(Self)
    }

    /// The text in its one form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CanonicalJson> for String {
    fn from(json: CanonicalJson) -> Self {
        json.0
    }
}

impl fmt::Display for CanonicalJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text has no [`CanonicalJson`].
#[derive(Debug)]
pub enum JsonError {
    /// Not JSON at all, or with a string that is not Unicode text.
    Malformed(serde_json::Error),
    /// `jsonb` holds text, and text in Postgres holds no NUL.
    Nul,
    /// Deeper than [`MAX_JSON_DEPTH`].
    Deep,
    /// A number with more digits than Postgres can hold.
    Digits(TooManyDigits),
    /// More than [`MAX_GROWTH`].
    Grown {
        /// The number that is too much, as it is written.
        number: String,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not JSON: {error}"),
            Self::Nul => f.write_str("a string or key in the JSON contains NUL (\\u0000), which Postgres cannot hold"),
            Self::Deep => {
                write!(
                    f,
                    "arrays and objects lie deeper within each other in the JSON than the limit of {MAX_JSON_DEPTH}"
                )
            }
            Self::Digits(error) => write!(f, "in the JSON, {error}"),
            Self::Grown { number } => write!(
                f,
                "with all its digits, the number {number} makes the JSON longer by more than the limit of {MAX_GROWTH} \
                 bytes that exponents may add"
            ),
        }
    }
}

impl std::error::Error for JsonError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Digits(error) => Some(error),
            Self::Nul | Self::Deep | Self::Grown { .. } => None,
        }
    }
}
