//! The header `Prefer` (RFC 7240).

use std::time::Duration;

use axum::http::HeaderMap;

/// What a client would like. Of a preference given twice, the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `count=exact`: the total is wanted.
    pub(super) exact_count: bool,
    /// `wait=N`: how many seconds the client is willing to wait.
    wait: Option<u32>,
    /// `handling=…`: what to do with preferences that cannot be kept.
    handling: Option<Handling>,
    invalid: Vec<String>,
    /// What would change the answer, and is not there yet.
    missing: Vec<String>,
}

/// What to do with preferences that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handling {
    /// Refuse the request.
    Strict,
    /// Leave them out of account.
    Lenient,
}

/// Preferences that cannot be kept, and that the client must hear of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PreferenceError {
    /// They cannot be kept, and the client insists.
    #[error("Invalid preferences given with handling=strict. Invalid preferences: {}", .0.join(", "))]
    Invalid(Vec<String>),
    /// It would change the answer.
    #[error("Feature not implemented. The preference {0} is not implemented.")]
    NotImplemented(String),
}

/// Preferences of PostgREST that only speak of writes; a read keeps them whatever they say.
const OF_WRITES: [&str; 5] = ["return", "resolution", "missing", "tx", "max-affected"];

impl Preferences {
    /// Reads the header of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self::parse(headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()))
    }

    /// Reads the header, which may be there several times.
    fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        for preference in headers.into_iter().flat_map(|header| header.split(',')).map(str::trim) {
            if !preference.is_empty() && !preferences.add(preference) {
                preferences.invalid.push(preference.to_owned());
            }
        }
        preferences
    }

    /// Whether the preference is one that we can keep.
    fn add(&mut self, preference: &str) -> bool {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let (name, value) = (name.trim_end().to_ascii_lowercase(), value.trim_start().trim_matches('"'));
        match (name.as_str(), value) {
            ("count", "exact") => self.exact_count = true,
            // Whoever gets no total, or times of another zone, without a word, takes the answer for what it is not.
            ("count", "planned" | "estimated") => self.missing.push(preference.to_owned()),
            ("timezone", zone) if zone.eq_ignore_ascii_case("UTC") => {}
            ("timezone", _) => self.missing.push(preference.to_owned()),
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

    /// Checks that everything can be kept that would change the answer, and where the client insists, all else.
    ///
    /// # Errors
    /// Names what cannot.
    pub(super) fn check(&self) -> Result<(), PreferenceError> {
        if self.handling == Some(Handling::Strict) && !self.invalid.is_empty() {
            return Err(PreferenceError::Invalid(self.invalid.clone()));
        }
        if let Some(missing) = self.missing.first() {
            return Err(PreferenceError::NotImplemented(missing.clone()));
        }
        Ok(())
    }

    /// How long the client is willing to wait: `default` if it does not say, and never longer than `max`.
    pub(super) fn wait(&self, default: Duration, max: Duration) -> Duration {
        self.wait.map_or(default, |seconds| Duration::from_secs(seconds.into())).min(max)
    }

    /// The value of the header `Preference-Applied`, if there is something to say. Whether the server has waited is
    /// known to the one who waits, not here.
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
    fn what_would_change_the_answer_is_refused_even_so() {
        for missing in ["count=planned", "count=estimated", "timezone=Europe/Berlin"] {
            for handling in ["handling=lenient", "handling=strict", ""] {
                let checked = Preferences::parse([missing, handling]).check();
                assert_eq!(checked, Err(PreferenceError::NotImplemented(missing.to_owned())));
            }
        }
    }

    #[test]
    fn nobody_waits_longer_than_is_allowed() {
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
    fn what_cannot_be_kept_is_refused_only_where_the_client_insists() {
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
