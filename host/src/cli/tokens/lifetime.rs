//! For how long a token is valid: `90d`.

use std::{str::FromStr, time::Duration};

use crate::access::MAX_LIFETIME;

/// For how long a token is valid: a number and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime(pub(super) Duration);

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let days = MAX_LIFETIME.as_secs() / 86_400;
            format!("write a number and one of the units s, m, h, d and w, such as 90d, and at most {days}d")
        };
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
        let lifetime = number.checked_mul(seconds).map(Duration::from_secs);
        lifetime.filter(|lifetime| !lifetime.is_zero() && *lifetime <= MAX_LIFETIME).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        for (text, seconds) in [("1s", 1), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600)] {
            assert_eq!(text.parse(), Ok(Lifetime(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "90", "d", "0d", "-1d", "1.5d", "1y", "3661d", "99999999999999999999d", "9é"] {
            let error = text.parse::<Lifetime>().unwrap_err();
            assert!(error.contains("such as 90d, and at most 3660d"), "{text}: {error}");
        }
    }
}
