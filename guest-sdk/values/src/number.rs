//! Numbers as JSON writes them, with every digit.

use std::fmt;

/// Digits before the point that a number may have: the limit of Postgres' `numeric`.
pub const MAX_INTEGER_DIGITS: usize = 131_072;
/// Digits after the point that a number may have: the limit of Postgres' `numeric`.
pub const MAX_FRACTION_DIGITS: usize = 16_383;

/// A JSON number by value. It is a float if it is written with a point or an exponent, and an integer otherwise: `1` and
/// `1.0` are different numbers, `1.0` and `10e-1` are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    /// The digits without zeros at their ends; none for zero.
    digits: String,
    /// The index of the digit that the point is before; it may lie outside of the digits.
    point: i64,
    float: bool,
}

/// A number has more digits than Postgres can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooManyDigits {
    number: String,
    integer: usize,
    fraction: usize,
}

impl Number {
    /// Parses a number; `None` if the text is not a JSON number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (mantissa, None),
        };
        let is_integer = integer == "0" || (all_digits(integer) && !integer.starts_with('0'));
        if !is_integer || !fraction.is_none_or(all_digits) {
            return None;
        }
        let shift = exponent.map_or(Some(0), parse_exponent)?;
        let fraction_digits = fraction.unwrap_or_default();
        let written = [integer, fraction_digits].concat();
        let digits = written.trim_start_matches('0');
        let leading = written.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        let float = fraction.is_some() || exponent.is_some();
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), point: 0, float });
        }
        let point = (integer.len() as i64 - leading as i64).saturating_add(shift);
        Some(Self { negative, digits: digits.to_owned(), point, float })
    }

    /// Whether it is written without a point and an exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self.float
    }

    /// The numbers of digits before and after the point, without leading and trailing zeros.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let size = |digits: i64| usize::try_from(digits.max(0)).unwrap_or(usize::MAX);
        (size(self.point), size((self.digits.len() as i64).saturating_sub(self.point)))
    }

    /// The float that serde_json writes as a number of the same value; `None` if there is none. So reading the number as this
    /// float and writing it keeps its value.
    #[must_use]
    pub fn exact_float(&self) -> Option<f64> {
        /// A number with at most so many digits is the shortest text of its float, unless that is denormal.
        const ALWAYS_EXACT: usize = 15;
        let text = format!("{}0.{}e{}", if self.negative { "-" } else { "" }, self.digits, self.point);
        let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
        if self.digits.len() <= ALWAYS_EXACT && (float == 0.0) == self.digits.is_empty() && self.point.abs() < 300 {
            return Some(float);
        }
        // Not the standard library's text: if two shortest texts are equally near to the float, it takes the other one.
        let shortest = Self::parse(&serde_json::to_string(&float).ok()?)?;
        (shortest.digits == self.digits && shortest.point == self.point).then_some(float)
    }

    /// The number as plain digits, as Postgres returns it: `1`, `1.5`, `100.0` for `1e2`, `0.0000001` for `1e-7`. Trailing
    /// zeros of the fraction are removed, but a float keeps its point. Zero has no sign.
    ///
    /// # Errors
    /// Postgres cannot hold so many digits.
    pub fn plain(&self) -> Result<String, TooManyDigits> {
        let (integer, fraction) = self.size();
        if integer > MAX_INTEGER_DIGITS || fraction > MAX_FRACTION_DIGITS {
            return Err(TooManyDigits { number: self.shown(), integer, fraction });
        }
        let mut plain = String::with_capacity(integer + fraction + 4);
        if self.negative {
            plain.push('-');
        }
        let before = self.digits.len().min(integer);
        plain.push_str(&self.digits[..before]);
        plain.extend(std::iter::repeat_n('0', integer - before));
        if integer == 0 {
            plain.push('0');
        }
        if self.float {
            plain.push('.');
            plain.extend(std::iter::repeat_n('0', fraction - (self.digits.len() - before)));
            plain.push_str(&self.digits[before..]);
            if fraction == 0 {
                plain.push('0');
            }
        }
        Ok(plain)
    }

    /// The number as an integer and a power of ten: `15e-1` for `1.5`.
    #[must_use]
    pub fn scientific(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() { "0" } else { &self.digits };
        format!("{sign}{digits}e{}", self.point.saturating_sub(self.digits.len() as i64))
    }

    /// The number for messages, shortened.
    fn shown(&self) -> String {
        const SHOWN: usize = 40;
        match self.digits.get(..SHOWN) {
            Some(first) => format!("{}0.{first}…e{}", if self.negative { "-" } else { "" }, self.point),
            None => self.scientific(),
        }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An exponent; one beyond the largest is read as the largest.
fn parse_exponent(text: &str) -> Option<i64> {
    const LARGEST: i64 = i64::MAX / 4;
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    // Digits alone fail to parse only if they are too many.
    all_digits(digits).then(|| sign * digits.parse().unwrap_or(LARGEST).min(LARGEST))
}

impl fmt::Display for TooManyDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, integer, fraction } = self;
        write!(
            f,
            "the number {number} has {integer} digits before the point and {fraction} after it; the limits are \
             {MAX_INTEGER_DIGITS} and {MAX_FRACTION_DIGITS}, those of Postgres"
        )
    }
}

impl std::error::Error for TooManyDigits {}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn what_is_not_a_json_number_is_none() {
        for text in
            ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "1e5.0", "0x1", "NaN", " 1", "1 ", "--1", "-01", "1e--1"]
        {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (one, other) in [("1.0", "10e-1"), ("1e2", "100.00"), ("0.0", "-0e77"), ("1.50E+1", "15e0"), ("-0", "0")] {
            assert_eq!(number(one), number(other));
        }
        assert_ne!(number("1"), number("1.0"));
    }

    #[test]
    fn the_shortest_text_of_a_float_is_exact_and_any_other_number_is_not() {
        for text in
            ["0.1", "0.09090909090909091", "1e16", "-0.0", "1.7976931348623157e308", "5e-324", "9007199254740993.0e3"]
        {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(number(text).exact_float().map(f64::to_bits), Some((expected + 0.0).to_bits()), "{text}");
        }
        for text in [
            "0.090909090909090915",
            "-6.228790437765863e14",
            "123456789012345678.5",
            "1e400",
            "1e-400",
            "4e-324",
            "20000000000000000001",
        ] {
            assert_eq!(number(text).exact_float(), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_postgres_cannot_hold_is_named() {
        for (text, ok) in [("1e131071", true), ("1e131072", false), ("1e-16383", true), ("1e-16384", false)] {
            assert_eq!(number(text).plain().is_ok(), ok, "{text}");
        }
        let words = number("12e999999999999999999999").plain().unwrap_err().to_string();
        assert!(words.starts_with("the number 12e2305843009213693951 has 2305843009213693953 digits"), "{words}");
    }
}
