//! Decimal numbers of any size, by value.

use std::{cmp::Ordering, fmt};

use gnomon_values::number;

/// A decimal number in canonical form: no sign but `-`, no leading zeros, no trailing zeros in the fraction, never `-0`. Hence
/// equal numbers are equal texts: `1.50`, `+1.5` and `01.5` are all kept as `1.5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// Why a text is not a [`Decimal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with an optional sign and point.
    #[error("`{0}` is not a decimal number: write digits with an optional sign and point, such as -12.50")]
    Malformed(String),
    /// More digits than [`Decimal::MAX_INTEGER_DIGITS`] or [`Decimal::MAX_FRACTION_DIGITS`].
    #[error(
        "a decimal number may have {} digits before the point and {} after it, but this one has {integer} and {fraction}",
        Decimal::MAX_INTEGER_DIGITS,
        Decimal::MAX_FRACTION_DIGITS
    )]
    TooLong {
        /// Digits before the point.
        integer: usize,
        /// Digits after it.
        fraction: usize,
    },
}

impl Decimal {
    /// The limit of Postgres' `numeric` before the point.
    pub const MAX_INTEGER_DIGITS: usize = number::MAX_INTEGER_DIGITS;
    /// The limit of Postgres' `numeric` after the point.
    pub const MAX_FRACTION_DIGITS: usize = number::MAX_FRACTION_DIGITS;

    /// Reads a number.
    ///
    /// # Errors
    /// Not a number, or one that Postgres cannot hold.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let malformed = || DecimalError::Malformed(text.chars().take(40).collect());
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if integer.len() + fraction.len() == 0 || !all_digits(integer) || !all_digits(fraction) {
            return Err(malformed());
        }
        let integer = integer.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if integer.len() > Self::MAX_INTEGER_DIGITS || fraction.len() > Self::MAX_FRACTION_DIGITS {
            return Err(DecimalError::TooLong { integer: integer.len(), fraction: fraction.len() });
        }
        let mut canonical = String::with_capacity(integer.len() + fraction.len() + 3);
        if negative && !(integer.is_empty() && fraction.is_empty()) {
            canonical.push('-');
        }
        canonical.push_str(if integer.is_empty() { "0" } else { integer });
        if !fraction.is_empty() {
            canonical.push('.');
            canonical.push_str(fraction);
        }
        Ok(Self(canonical))
    }

    /// The number in canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (negative, one) = self.sign_and_size();
        let (other_negative, two) = other.sign_and_size();
        match (negative, other_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            // Fractions compare as texts, since none of them ends in 0.
            (false, false) => one.cmp(&two),
            (true, true) => two.cmp(&one),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Decimal {
    /// Whether the number is negative, and its absolute value as a tuple that compares by value: how many digits there are before
    /// the point, these digits, and those after it.
    fn sign_and_size(&self) -> (bool, (usize, &str, &str)) {
        let digits = self.0.strip_prefix('-');
        let (integer, fraction) = digits.unwrap_or(&self.0).split_once('.').unwrap_or((digits.unwrap_or(&self.0), ""));
        (digits.is_some(), (integer.len(), integer, fraction))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_the_same_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("+1.50", "1.5"),
            ("001.5", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-12.34", "-12.34"),
            ("100", "100"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), canonical, "{text}");
        }
    }

    /// `guest-sdk/src/column/number.rs` tests the same file.
    #[test]
    fn numbers_have_the_form_of_the_sdk() {
        let golden = include_str!("../../../guest-sdk/values/tests/golden/decimals.tsv");
        for (text, form) in golden.lines().filter_map(|line| line.split_once('\t')) {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), form, "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let sorted = ["-100", "-12.5", "-12.34", "-0.1", "0", "0.05", "0.5", "0.51", "9", "10", "10.01"];
        for (index, one) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                let order = Decimal::parse(one).unwrap().cmp(&Decimal::parse(other).unwrap());
                assert_eq!(order, index.cmp(&other_index), "{one} and {other}");
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-", ".", "1e5", "NaN", "1.2.3", " 1", "--1", "１"] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::Malformed(text.into())), "{text}");
        }
        let long = "9".repeat(Decimal::MAX_INTEGER_DIGITS + 1);
        assert_eq!(Decimal::parse(&long), Err(DecimalError::TooLong { integer: long.len(), fraction: 0 }));
    }
}
