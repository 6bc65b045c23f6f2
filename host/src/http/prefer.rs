//! The header `Prefer` (RFC 7240).

use std::time::Duration;

use axum::http::HeaderMap;

use crate::queries::Count;

/// The preferences of a client. Of a preference that is given twice, the first counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `count=…`: the answer has the total.
    count: Option<Count>,
    /// `wait=N`: how many seconds the client is willing to wait.
    wait: Option<u32>,
    /// `handling=…`: what happens if a preference cannot be met.
    handling: Option<Handling>,
    /// `timezone=…`: the time zone of instants, and how many of `invalid` stand before it.
    zone: Option<(String, usize)>,
    /// Preferences that the host does not know.
    invalid: Vec<String>,
}

/// What happens if a preference cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handling {
    /// Refuse the request.
    Strict,
    /// Ignore the preference.
    Lenient,
}

/// Preferences that the host does not know, of a client that asks for strict handling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid preferences given with handling=strict. Invalid preferences: {}", .0.join(", "))]
pub(super) struct InvalidPreferences(pub(super) Vec<String>);

/// Preferences of PostgREST that concern only writes: they are known, and a read has nothing to do for them.
const OF_WRITES: [(&str, &[&str]); 4] = [
    ("return", &["representation", "minimal", "headers-only"]),
    ("resolution", &["merge-duplicates", "ignore-duplicates"]),
    ("missing", &["default", "null"]),
    ("tx", &["commit", "rollback"]),
];

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
            ("count", "exact") => _ = self.count.get_or_insert(Count::Exact),
            ("count", "planned") => _ = self.count.get_or_insert(Count::Planned),
            ("count", "estimated") => _ = self.count.get_or_insert(Count::Estimated),
            ("timezone", zone) => _ = self.zone.get_or_insert((zone.to_owned(), self.invalid.len())),
            ("handling", "strict") => _ = self.handling.get_or_insert(Handling::Strict),
            ("handling", "lenient") => _ = self.handling.get_or_insert(Handling::Lenient),
            ("wait", seconds) => match seconds.parse() {
                Ok(seconds) => _ = self.wait.get_or_insert(seconds),
                Err(_) => return false,
            },
            // Reads affect nothing.
            ("max-affected", _) => {}
            (name, value) => {
                return OF_WRITES.iter().any(|(known, values)| *known == name && values.contains(&value));
            }
        }
        true
    }

    /// How the rows that match are counted.
    pub(super) fn count(&self) -> Count {
        self.count.unwrap_or_default()
    }

    /// The time zone that the client wants.
    pub(super) fn zone(&self) -> Option<&str> {
        self.zone.as_ref().map(|(zone, _)| zone.as_str())
    }

    /// The same, for a host that does not know the time zone.
    pub(super) fn without_zone(mut self) -> Self {
        if let Some((zone, at)) = self.zone.take() {
            self.invalid.insert(at, format!("timezone={zone}"));
        }
        self
    }

    /// Checks, with `handling=strict`, that the host knows all of them. Whether it knows the time zone, the caller has to find out.
    ///
    /// # Errors
    /// Names those that it does not know.
    pub(super) fn check(&self) -> Result<(), InvalidPreferences> {
        if self.handling == Some(Handling::Strict) && !self.invalid.is_empty() {
            return Err(InvalidPreferences(self.invalid.clone()));
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
        let count = self.count.and_then(|count| match count {
            Count::Uncounted => None,
            Count::Exact => Some("count=exact".to_owned()),
            Count::Planned => Some("count=planned".to_owned()),
            Count::Estimated => Some("count=estimated".to_owned()),
        });
        let handling = self.handling.map(|handling| match handling {
            Handling::Strict => "handling=strict".to_owned(),
            Handling::Lenient => "handling=lenient".to_owned(),
        });
        let zone = self.zone().map(|zone| format!("timezone={zone}"));
        let applied: Vec<_> = [count, handling, zone].into_iter().flatten().collect();
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
                count: Some(Count::Exact),
                wait: Some(10),
                handling: Some(Handling::Lenient),
                ..Preferences::default()
            }
        );
        assert_eq!(Preferences::parse(["count=exact", "Handling=lenient", "", "wait = \"10\""]), one);
        assert_eq!(one.applied().as_deref(), Some("count=exact, handling=lenient"));
        assert_eq!(Preferences::default().applied(), None);
        assert_eq!(Preferences::default().count(), Count::Uncounted);
    }

    #[test]
    fn what_a_read_does_is_applied_in_the_order_of_postgrest() {
        for (given, applied) in [
            (
                "timezone=Asia/Tokyo, handling=strict, count=planned",
                "count=planned, handling=strict, timezone=Asia/Tokyo",
            ),
            ("count=estimated, count=exact", "count=estimated"),
            ("timezone=Asia/Tokyo, timezone=UTC", "timezone=Asia/Tokyo"),
            ("return=representation, tx=commit, missing=null, max-affected=3, handling=lenient", "handling=lenient"),
        ] {
            assert_eq!(Preferences::parse([given]).applied().as_deref(), Some(applied), "{given}");
        }
        assert_eq!(Preferences::parse(["count=none, anything"]).applied(), None);
    }

    #[test]
    fn a_zone_that_is_not_known_is_one_of_the_unknown_preferences() {
        let given = Preferences::parse(["anything, timezone=Nowhere, handling=strict, else"]);
        assert_eq!(given.zone(), Some("Nowhere"));
        let found = given.without_zone();
        assert_eq!(found.zone(), None);
        let invalid = ["anything", "timezone=Nowhere", "else"].map(str::to_owned).to_vec();
        assert_eq!(found.check(), Err(InvalidPreferences(invalid)));
        assert_eq!(found.applied().as_deref(), Some("handling=strict"));
        let lenient = Preferences::parse(["timezone=Nowhere"]).without_zone();
        assert_eq!((lenient.check(), lenient.applied()), (Ok(()), None));
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
        let given = "anything, count=all, wait=soon, return=all, tx=maybe";
        assert_eq!(Preferences::parse([given]).check(), Ok(()));
        assert_eq!(Preferences::parse(["handling=lenient", given]).check(), Ok(()));
        let known =
            "handling=strict, count=exact, tx=commit, resolution=merge-duplicates, max-affected=x, missing=default";
        assert_eq!(Preferences::parse([known]).check(), Ok(()));
        assert_eq!(
            Preferences::parse([given, "handling=strict"]).check(),
            Err(InvalidPreferences(given.split(", ").map(str::to_owned).collect()))
        );
    }
}
