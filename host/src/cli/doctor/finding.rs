//! What was found, and what follows from it.

use serde::Serialize;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and may not for long, or costs more than it has to.
    Warning,
    /// Something does not work, or what was answered may be lost.
    Problem,
    /// It could not be looked at.
    Skipped,
}

impl Level {
    /// The word for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Where: `settings`, `versions` and so on.
    pub(super) area: &'static str,
    /// What was looked at. It does not change after a release.
    pub(super) check: String,
    pub(super) level: Level,
    /// What was found.
    pub(super) found: String,
    /// Why that is so bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    fn new(area: &'static str, check: impl Into<String>, level: Level, found: impl Into<String>) -> Self {
        Self { area, check: check.into(), level, found: found.into(), why: None, advice: None }
    }

    /// Something that is as it should be.
    pub(super) fn ok(area: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(area, check, Level::Ok, found)
    }

    /// Something that could not be looked at.
    pub(super) fn skipped(area: &'static str, check: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(area, check, Level::Skipped, reason)
    }

    /// Something that should be otherwise.
    pub(super) fn warning(area: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(area, check, Level::Warning, found)
    }

    /// Something that has to be otherwise.
    pub(super) fn problem(area: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(area, check, Level::Problem, found)
    }

    pub(super) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}
