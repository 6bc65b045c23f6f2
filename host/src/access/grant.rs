//! Grants: scopes, each perhaps limited to names.

use std::{fmt, str::FromStr};

use super::{
    name_pattern::{NamePattern, NamePatternError},
    scope::Scope,
};

/// Grants of a token, at most.
pub const MAX_GRANTS: usize = 32;
/// Patterns of a grant, at most.
pub const MAX_PATTERNS: usize = 64;

/// A scope, and the names that it is limited to: `append`, `append=account,order*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    scope: Scope,
    /// Empty: not limited.
    patterns: Vec<NamePattern>,
}

/// What a caller may do: the sum of its grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

/// Why a text is not a grant, or a list not the grants of a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// There is no such scope.
    #[error(
        "`{0}` is not a scope; the scopes are append, read:events, read:models, deploy, operate and admin, and all but admin may be limited \
         to names, as in append=account,order*"
    )]
    Unknown(String),
    /// It cannot be limited.
    #[error("the scope `{0}` cannot be limited to names; leave out what follows it")]
    Unlimited(Scope),
    /// A name is not a pattern.
    #[error("the scope `{scope}`: {error}")]
    Pattern {
        /// The scope.
        scope: Scope,
        /// What is wrong.
        error: NamePatternError,
    },
    /// Too many names.
    #[error("the scope `{0}` has more than {MAX_PATTERNS} patterns of names; use `*`, or another token")]
    TooManyPatterns(Scope),
    /// Too many grants.
    #[error("there are {0} scopes, and may be {MAX_GRANTS}; use another token for some of them")]
    TooMany(usize),
    /// No grant.
    #[error("a token without a scope may do nothing; give it at least one")]
    None,
}

impl Grant {
    /// The scope.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether it holds for every name.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether it holds for a name.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.is_unlimited() || self.patterns.iter().any(|pattern| pattern.fits(name))
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let (name, names) = match text.split_once('=') {
            Some((name, names)) => (name, Some(names)),
            None => (text, None),
        };
        let scope = Scope::named(name).ok_or_else(|| GrantError::Unknown(name.chars().take(100).collect()))?;
        let Some(names) = names else { return Ok(Self { scope, patterns: Vec::new() }) };
        if scope.limited_to().is_none() {
            return Err(GrantError::Unlimited(scope));
        }
        if names.split(',').count() > MAX_PATTERNS {
            return Err(GrantError::TooManyPatterns(scope));
        }
        let patterns = names.split(',').map(NamePattern::new).collect::<Result<_, _>>();
        let patterns = patterns.map_err(|error| GrantError::Pattern { scope, error })?;
        Ok(Self { scope, patterns })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scope.fmt(f)?;
        for (index, pattern) in self.patterns.iter().enumerate() {
            write!(f, "{}{pattern}", if index == 0 { '=' } else { ',' })?;
        }
        Ok(())
    }
}

impl Grants {
    /// Checks what a token is to have.
    ///
    /// # Errors
    /// See [`GrantError`].
    pub fn new(grants: Vec<Grant>) -> Result<Self, GrantError> {
        match grants.len() {
            0 => Err(GrantError::None),
            1..=MAX_GRANTS => Ok(Self(grants)),
            more => Err(GrantError::TooMany(more)),
        }
    }

    /// Reads each of some texts.
    ///
    /// # Errors
    /// See [`GrantError`].
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, GrantError> {
        Self::new(texts.into_iter().map(str::parse).collect::<Result<_, _>>()?)
    }

    /// Those that this program knows; others grant nothing. A newer host may have written them, or an issuer has scopes of other programs
    /// among them.
    pub fn known<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self(texts.into_iter().filter_map(|text| text.parse().ok()).take(MAX_GRANTS).collect())
    }

    /// Everything.
    pub(super) fn everything() -> Self {
        Self(vec![Grant { scope: Scope::Admin, patterns: Vec::new() }])
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// Each of them, as a text.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        for text in
            ["append", "append=account", "read:events=account,order*", "read:models=*", "deploy", "operate=a", "admin"]
        {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<Grant>().unwrap_err().to_string();
        assert!(error("write").starts_with("`write` is not a scope; the scopes are append, read:events"));
        assert!(error("Append").starts_with("`Append` is not a scope"));
        assert!(error("").starts_with("`` is not a scope"));
        assert!(error("admin=a").starts_with("the scope `admin` cannot be limited"));
        assert!(error("append=").starts_with("the scope `append`: \"\" is not a pattern"));
        assert!(error("append=a,,b").starts_with("the scope `append`: \"\" is not a pattern"));
        let many = format!("append={}", vec!["a"; MAX_PATTERNS + 1].join(","));
        assert!(error(&many).contains("more than 64 patterns"));
        assert_eq!(Grants::parse([]).unwrap_err(), GrantError::None);
        assert_eq!(Grants::parse(vec!["append"; MAX_GRANTS + 1]).unwrap_err(), GrantError::TooMany(33));
    }

    #[test]
    fn what_is_not_known_grants_nothing() {
        let grants = Grants::known(["openid", "append=account", "profile", "append=a b"]);
        assert_eq!(grants.texts(), ["append=account"]);
    }
}
