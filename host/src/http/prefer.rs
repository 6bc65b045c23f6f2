//! The header `Prefer` (RFC 7240).

use std::time::Duration;

use axum::http::HeaderMap;

/// The preferences of a client. Of a preference that is given twice, the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `count=exact`: the answer has the total.
    pub(super) exact_count: bool,
    /// `wait=N`: how many seconds the client is willing to wait.
    wait: Option<u32>,
    /// `handling=…`: what happens if a preference cannot be met.
    handling: Option<Handling>,
    /// Preferences that the host does not know.
    invalid: Vec<String>,
    /// Preferences that would change the answer, and that the host does not implement.
    not_implemented: Vec<String>,
}

/// What happens if a preference cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handling {
    /// Refuse the request.
    Strict,
    /// Ignore the preference.
    Lenient,
}

/// Preferences that cannot be met, so that the request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PreferenceError {
    /// The host does not know them, and the client asks for strict handling.
    #[error("Invalid preferences given with handling=strict. Invalid preferences: {}", .0.join(", "))]
    Invalid(Vec<String>),
    /// It would change the answer, and the host does not implement it.
    #[error("Feature not implemented. The preference {0} is not implemented.")]
    NotImplemented(String),
}

/// Preferences of PostgREST that concern only writes; a read meets them with any value.
const OF_WRITES: [&str; 5] = ["return", "resolution", "missing", "tx", "max-affected"];

impl Preferences {
    /// Reads the header of a request.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        Self::parse(headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()))
    }

    /// Reads the values of the header, which may be given several times.
    fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        for preference in headers.into_iter().flat_map(|header| header.split(',')).map(str::trim) {
            if !preference.is_empty() && !preferences.add(preference) {
                preferences.invalid.push(preference.to_owned());
            }
        }
        preferences
    }

    /// Adds a preference; returns whether the host knows it.
    fn add(&mut self, preference: &str) -> bool {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let (name, value) = (name.trim_end().to_ascii_lowercase(), value.trim_start().trim_matches('"'));
        match (name.as_str(), value) {
            ("count", "exact") => self.exact_count = true,
            // Ignored, these would leave the client with an answer that means something else than it takes it to mean.
            ("count", "planned" | "estimated") => self.not_implemented.push(preference.to_owned()),
            ("timezone", zone) if zone.eq_ignore_ascii_case("UTC") => {}
            ("timezone", _) => self.not_implemented.push(preference.to_owned()),
            ("handling", "strict") => _ = self.handling.get_or_insert(Handling::Strict),
            ("handling", "lenient") => _ = self.handling.get_or_insert(Handling::Lenient),
            ("wait", seconds) => match seconds.parse() {
                Ok(seconds) => _ = self.wait.get_or_insert(seconds),
                Err(_) => return false,
            },
            (name, _) => return OF_WRITES.contains(&name),
        }
        true
    }

    /// Checks that each preference that would change the answer can be met, and with `handling=strict`, each of the others.
    ///
    /// # Errors
    /// Names the preferences that cannot be met.
    pub(super) fn check(&self) -> Result<(), PreferenceError> {
        if self.handling == Some(Handling::Strict) && !self.invalid.is_empty() {
            return Err(PreferenceError::Invalid(self.invalid.clone()));
        }
        if let Some(preference) = self.not_implemented.first() {
            return Err(PreferenceError::NotImplemented(preference.clone()));
        }
        Ok(())
    }

    /// How long the client is willing to wait: `default` if it does not say, and at most `max`.
    pub(super) fn wait(&self, default: Duration, max: Duration) -> Duration {
        self.wait.map_or(default, |seconds| Duration::from_secs(seconds.into())).min(max)
    }

    /// The value of the header `Preference-Applied`, if a preference was applied. `wait` is not among them, since only the caller
    /// knows whether it has waited.
    pub(super) fn applied(&self) -> Option<String> {
        let count = self.exact_count.then_some("count=exact");
        let handling = self.handling.map(|handling| match handling {
            Handling::Strict => "handling=strict",
            Handling::Lenient => "handling=lenient",
        });
        let applied: Vec<_> = [count, handling].into_iter().flatten().collect();
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_come_in_one_header_or_several() {
        let one = Preferences::parse(["count=exact,   handling=lenient ,wait=10, return=minimal"]);
        assert_eq!(
            one,
            Preferences {
                exact_count: true,
                wait: Some(10),
                handling: Some(Handling::Lenient),
                ..Preferences::default()
            }
        );
        assert_eq!(Preferences::parse(["count=exact", "Handling=lenient", "", "wait = \"10\""]), one);
        assert_eq!(one.applied().as_deref(), Some("count=exact, handling=lenient"));
        assert_eq!(Preferences::default().applied(), None);
    }

    #[test]
    fn what_would_change_the_answer_is_refused_whatever_the_handling() {
        for missing in ["count=planned", "count=estimated", "timezone=Europe/Berlin"] {
            for handling in ["handling=lenient", "handling=strict", ""] {
                let checked = Preferences::parse([missing, handling]).check();
                assert_eq!(checked, Err(PreferenceError::NotImplemented(missing.to_owned())));
            }
        }
    }

    #[test]
    fn a_wait_is_at_most_the_maximum() {
        let [default, max] = [5, 60].map(Duration::from_secs);
        for (prefer, seconds) in [("", 5), ("wait=0", 0), ("wait=10", 10), ("wait=61", 60)] {
            let preferences = Preferences::parse([prefer]);
            assert_eq!(preferences.wait(default, max), Duration::from_secs(seconds), "{prefer}");
        }
        assert_eq!(Preferences::default().wait(max, default), default);
    }

    #[test]
    fn the_first_of_two_counts() {
        let preferences = Preferences::parse(["handling=strict, wait=1", "handling=lenient, wait=2"]);
        assert_eq!((preferences.handling, preferences.wait), (Some(Handling::Strict), Some(1)));
    }

    #[test]
    fn unknown_preferences_are_refused_only_with_strict_handling() {
        let given = "anything, count=all, wait=soon";
        assert_eq!(Preferences::parse([given]).check(), Ok(()));
        assert_eq!(Preferences::parse(["handling=lenient", given]).check(), Ok(()));
        assert_eq!(Preferences::parse(["handling=strict, count=exact, tx=commit, timezone=utc"]).check(), Ok(()));
        assert_eq!(
            Preferences::parse([given, "handling=strict"]).check(),
            Err(PreferenceError::Invalid(given.split(", ").map(str::to_owned).collect()))
        );
    }
}
