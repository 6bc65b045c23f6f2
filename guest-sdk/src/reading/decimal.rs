//! Reads decimals with every digit, or fails.
//!
//! `rust_decimal` itself rounds numbers with more digits than it holds.

use std::{any::type_name, fmt};

use gnomon_values::number::Number;
use rust_decimal::Decimal;
use serde::de::{Error, Visitor};

/// Whether a `Decimal` is read. The types are compared by name, since a visitor's value may borrow and then has no `TypeId`. If
/// the name were wrong, digits would not be checked, or those of another type would be.
#[inline]
pub(super) fn is_decimal<T>() -> bool {
    type_name::<T>() == type_name::<Decimal>()
}

/// The decimal that a number is.
pub(super) fn exact<E: Error>(text: &str, number: &Number) -> Result<Decimal, E> {
    decimal(number).ok_or_else(|| E::custom(NotADecimal(text)))
}

/// The decimal that a number is, if a `Decimal` holds it.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    /// More digits than any decimal has.
    const TOO_MANY: usize = 100;
    let (integer, fraction) = number.size();
    if integer > TOO_MANY || fraction > TOO_MANY {
        return None;
    }
    let plain = number.plain().ok()?;
    // The `.0` of a float is not part of its value.
    let digits = plain.strip_suffix(".0").unwrap_or(&plain);
    Decimal::from_str_exact(digits).ok().map(|decimal| decimal.normalize())
}

/// A visitor of a `Decimal` that is passed the text of a number, as in `"12.50"`.
pub(super) struct DecimalText<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for DecimalText<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        check(text)?;
        match text
            .parse::<Decimal>()
            .is_err()
            .then(|| Number::parse(text).and_then(|number| decimal(&number)))
            .flatten()
        {
            // `rust_decimal` does not parse 7.9e28, although it holds the number.
            Some(decimal) => self.0.visit_str(&decimal.to_string()),
            None => self.0.visit_str(text),
        }
    }
}

/// Refuses a text that `rust_decimal` would round.
pub(super) fn check<E: Error>(text: &str) -> Result<(), E> {
    let is_exact = match text.parse::<Decimal>() {
        // The visitor of rust_decimal reports the error.
        Err(_) => true,
        Ok(_) if Decimal::from_str_exact(text).is_ok() => true,
        // With an exponent.
        Ok(rounded) => Number::parse(text).and_then(|number| decimal(&number)) == Some(rounded),
    };
    if is_exact { Ok(()) } else { Err(E::custom(NotADecimal(text))) }
}

/// The message for a number that a `Decimal` cannot hold.
struct NotADecimal<'t>(&'t str);

impl fmt::Display for NotADecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let (shown, more) = match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => (&self.0[..end], "…"),
            None => (self.0, ""),
        };
        write!(
            f,
            "a Decimal cannot hold the number {shown}{more} with all its digits: it holds at most {} digits after the point, and \
             all digits without the point must be at most {}",
            Decimal::MAX_SCALE,
            Decimal::MAX
        )
    }
}
