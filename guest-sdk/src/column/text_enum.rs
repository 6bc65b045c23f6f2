//! Enums that are stored as texts.

use super::mismatch;
use crate::{
    Failure,
    schema::{ColumnType, Value},
};

/// An enum that is stored as text in its column.
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// #[derive(TextEnum, Clone, Copy, Debug, PartialEq)]
/// enum State {
///     #[text("departed")]
///     Departed,
///     #[text("arrived")]
///     Arrived,
/// }
///
/// assert_eq!(State::Arrived.as_text(), "arrived");
/// assert_eq!(State::from_text("lost"), None);
/// ```
pub trait TextEnum: Sized {
    /// The texts, in the order of the variants.
    const TEXTS: &'static [&'static str];

    /// The text that stands for the variant.
    fn as_text(&self) -> &'static str;

    /// The variant that the text stands for, if there is one.
    fn from_text(text: &str) -> Option<Self>;
}

/// The variant as a cell. The derive uses this function and the two below.
pub fn text_value<E: TextEnum>(variant: &E) -> Value {
    Value::Text(variant.as_text().to_owned())
}

/// The variant of a cell.
///
/// # Errors
/// The cell is not a text, or no variant has its text.
pub fn text_variant<E: TextEnum>(value: Value) -> Result<E, Failure> {
    match value {
        Value::Text(text) => E::from_text(&text)
            .ok_or_else(|| Failure::new(format!("{text:?} is not one of \"{}\"", E::TEXTS.join("\", \"")))),
        other => Err(mismatch(ColumnType::Text, &other)),
    }
}

/// Whether the cells are this variant as a key.
pub fn is_text<E: TextEnum>(variant: &E, cells: &[Value]) -> bool {
    matches!(cells, [Value::Text(text)] if text == variant.as_text())
}
