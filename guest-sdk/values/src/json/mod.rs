//! JSON in the canonical form that a column holds, with every digit of its numbers.

mod depth;
mod error;
mod form;
mod scan;

use std::fmt;

pub use self::{
    depth::json_depth,
    error::{JsonError, MAX_GROWTH},
    scan::numbers,
};

/// JSON text in canonical form: keys sorted, of equal keys the last, no blanks, strings escaped in one way, and numbers as plain
/// digits ([`Number::plain`](crate::number::Number::plain)).
///
/// It never changes a value: an integer stays an integer of any size, a float stays a float with every digit. But for blanks and
/// the order of keys it is what Postgres' `jsonb` returns, so a module reads what it wrote, whether the row comes from memory or
/// from Postgres.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalJson(String);

impl CanonicalJson {
    /// Brings JSON text to its canonical form.
    ///
    /// # Errors
    /// Not JSON, or JSON that Postgres cannot hold.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        form::canonical(text).map(Self)
    }

    /// The text.
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
