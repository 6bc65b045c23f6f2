//! Durations as options.

use std::{fmt, str::FromStr, time::Duration};

/// A duration in seconds, such as `10` or `0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Seconds(pub(in crate::cli) Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|error| error.to_string())
    }
}

impl Seconds {
    /// Reads a duration from `least` to `most` seconds.
    pub(in crate::cli) fn between(
        least: f64,
        most: f64,
    ) -> impl Fn(&str) -> Result<Self, String> + Clone + Send + Sync + 'static {
        move |text| match text.parse::<Self>() {
            Ok(seconds) if (least..=most).contains(&seconds.0.as_secs_f64()) => Ok(seconds),
            _ => Err(format!("give a number of seconds from {least} to {most}")),
        }
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
    fn a_duration_is_read_as_it_is_written() {
        for (text, millis) in [("0", 0), ("10", 10_000), ("0.5", 500), ("86400", 86_400_000), ("1.25", 1250)] {
            let seconds = Seconds(Duration::from_millis(millis));
            assert_eq!((text.parse(), seconds.to_string().as_str()), (Ok(seconds), text));
        }
    }

    #[test]
    fn what_is_outside_of_a_range_is_refused_with_it() {
        let read = Seconds::between(0.5, 3600.0);
        assert_eq!(read("0.5"), Ok(Seconds(Duration::from_millis(500))));
        for text in ["0", "0.49", "3600.1", "-1", "NaN", "soon"] {
            assert_eq!(read(text), Err("give a number of seconds from 0.5 to 3600".to_owned()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let refused = |text: &str| text.parse::<Seconds>().unwrap_err();
        for text in ["", "soon", "10s", "1,5"] {
            assert_eq!(refused(text), "give a number of seconds", "{text}");
        }
        for text in ["-1", "NaN", "inf", "1e30"] {
            assert_ne!(refused(text), "", "{text}");
        }
    }
}
