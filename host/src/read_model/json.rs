//! JSON cells in one form.

use std::fmt;

use serde_json::{Number, Value};

/// JSON text in one form: keys sorted, no blanks, numbers as 64-bit integers or floats, −0.0 as 0.0. Postgres' `jsonb`
/// loses the author's text anyway; the one form makes what a module reads back equal to what it wrote, whether the row
/// came from memory or from Postgres.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalJson(String);

/// Why a text is no [`CanonicalJson`].
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all.
    #[error("not JSON: {0}")]
    Malformed(#[from] serde_json::Error),
    /// `jsonb` holds text, and text in Postgres holds no NUL.
    #[error("a string or key in the JSON contains NUL (\\u0000), which Postgres cannot hold")]
    Nul,
}

impl CanonicalJson {
    /// Reads JSON text.
    ///
    /// # Errors
    /// Not JSON, or JSON that Postgres cannot hold.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let mut value: Value = serde_json::from_str(text)?;
        normalise(&mut value)?;
        // A no-op unless a dependency switches serde_json's `preserve_order` on for everyone.
        value.sort_all_objects();
        Ok(Self(value.to_string()))
    }

    /// The text in its one form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn normalise(value: &mut Value) -> Result<(), JsonError> {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) && number.is_f64() => {
            // `from_f64` fails for NaN and infinities only.
            if let Some(zero) = Number::from_f64(0.0) {
                *number = zero;
            }
        }
        Value::String(text) if text.contains('\0') => return Err(JsonError::Nul),
        Value::Array(items) => items.iter_mut().try_for_each(normalise)?,
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                return Err(JsonError::Nul);
            }
            fields.values_mut().try_for_each(normalise)?;
        }
        _ => {}
    }
    Ok(())
}

impl fmt::Display for CanonicalJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_documents_have_one_form() {
        for (text, canonical) in [
            (r#"{ "b": 1, "a": [1.0, -0.0, null] }"#, r#"{"a":[1.0,0.0,null],"b":1}"#),
            ("1e2", "100.0"),
            (r#""\u00e9""#, "\"é\""),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        ] {
            assert_eq!(CanonicalJson::parse(text).unwrap().as_str(), canonical, "{text}");
        }
    }

    #[test]
    fn what_postgres_cannot_hold_is_refused() {
        assert!(matches!(CanonicalJson::parse("{"), Err(JsonError::Malformed(_))));
        assert!(matches!(CanonicalJson::parse(r#"["\u0000"]"#), Err(JsonError::Nul)));
        assert!(matches!(CanonicalJson::parse(r#"{"a\u0000":1}"#), Err(JsonError::Nul)));
    }
}
