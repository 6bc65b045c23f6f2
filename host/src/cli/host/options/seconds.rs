//! Times of the command line.

use std::{fmt, str::FromStr, time::Duration};

/// A time in seconds, such as `10` or `0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| "a number of seconds is needed".to_owned())?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_secs_f64().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, millis) in [("0", 0), ("10", 10_000), ("0.5", 500), ("86400", 86_400_000), ("1.25", 1250)] {
            let seconds = Seconds(Duration::from_millis(millis));
            assert_eq!((text.parse(), seconds.to_string().as_str()), (Ok(seconds), text));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let refused = |text: &str| text.parse::<Seconds>().unwrap_err();
        for text in ["", "soon", "10s", "1,5"] {
            assert_eq!(refused(text), "a number of seconds is needed", "{text}");
        }
        for text in ["-1", "NaN", "inf", "1e30"] {
            assert_ne!(refused(text), "", "{text}");
        }
    }
}
