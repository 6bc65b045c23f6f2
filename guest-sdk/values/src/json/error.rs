//! Why a JSON text has no canonical form.

use std::fmt;

use crate::{limits::MAX_JSON_DEPTH, number::TooManyDigits};

/// Bytes by which the canonical form of a JSON text may be longer than the text: `1e1000` has a thousand digits.
pub const MAX_GROWTH: usize = 1024 * 1024;

/// Why a text has no [`CanonicalJson`](super::CanonicalJson).
#[derive(Debug)]
pub enum JsonError {
    /// Not JSON at all, or with a string that is not Unicode text.
    Malformed(serde_json::Error),
    /// `jsonb` holds text, and text in Postgres holds no NUL.
    Nul,
    /// Nested deeper than [`MAX_JSON_DEPTH`].
    Deep,
    /// A number with more digits than Postgres can hold.
    Digits(TooManyDigits),
    /// Longer than the text by more than [`MAX_GROWTH`].
    Grown {
        /// The number at which that happens, as it is written.
        number: String,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not JSON: {error}"),
            Self::Nul => f.write_str("a string or key in the JSON contains NUL (\\u0000), which Postgres cannot hold"),
            Self::Deep => {
                write!(f, "arrays and objects in the JSON are nested deeper than the limit of {MAX_JSON_DEPTH}")
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

// The message has its cause in it, so there is no `source`.
impl std::error::Error for JsonError {}
