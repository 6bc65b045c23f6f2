//! Who makes a request, and what it may do.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{grant::Grants, scope::Scope, secret::Hash, subject::Subject, token_name::TokenName};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anyone: the host asks nobody who they are.
    Anyone,
    /// Someone who has not said it.
    Nobody,
    /// Who has the token of this name.
    Token(TokenName),
    /// Whom the issuer of JWTs knows by this name.
    Subject(Subject),
}

/// Who makes a request, with what it may do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    who: Who,
    grants: Grants,
    /// By what it is found again, if it has a token of a host.
    hash: Option<Hash>,
    /// When it is a caller no more.
    expires: Option<Instant>,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'n> {
    /// To the whole host, so a grant that is limited to names is not enough.
    Host,
    /// To something that is not known yet: any grant is enough, and what is done to each thing is checked by its name.
    Some,
    /// To what has this name: a category of streams, a projection, a module.
    Name(&'n str),
}

impl Caller {
    /// Anyone, on a host that asks nobody.
    #[must_use]
    pub fn anyone() -> Self {
        Self::new(Who::Anyone, Grants::everything(), None, None)
    }

    /// Who has not said who it is, and may do nothing.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(Who::Nobody, Grants::default(), None, None)
    }

    pub(super) fn new(who: Who, grants: Grants, hash: Option<Hash>, expires: Option<Instant>) -> Self {
        Self(Arc::new(Inner { who, grants, hash, expires }))
    }

    /// Who it is.
    #[must_use]
    pub fn who(&self) -> &Who {
        &self.0.who
    }

    /// What it may do.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    pub(super) fn hash(&self) -> Option<&Hash> {
        self.0.hash.as_ref()
    }

    /// Whether it may be revoked.
    #[must_use]
    pub fn is_revocable(&self) -> bool {
        self.0.hash.is_some()
    }

    /// When its token expires, by this host's clock.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        self.0.expires
    }

    /// Whether it may do something that needs one of these scopes.
    #[must_use]
    pub fn may(&self, scopes: &[Scope], of: Of<'_>) -> bool {
        self.0.grants.iter().any(|grant| {
            let scope = grant.scope();
            scope == Scope::Admin
                || scopes.contains(&scope)
                    && match of {
                        Of::Host => grant.is_unlimited(),
                        Of::Some => true,
                        Of::Name(name) => grant.covers(name),
                    }
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Nobody => f.write_str("nobody"),
            Self::Token(name) => write!(f, "token {name}"),
            Self::Subject(name) => write!(f, "jwt {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(grants: &[&str]) -> Caller {
        Caller::new(Who::Nobody, Grants::parse(grants.iter().copied()).unwrap(), None, None)
    }

    #[test]
    fn each_scope_gives_itself_and_admin_gives_all() {
        for held in Scope::ALL {
            let caller = with(&[held.as_str()]);
            for wanted in Scope::ALL {
                let may = held == wanted || held == Scope::Admin;
                for of in [Of::Host, Of::Some, Of::Name("a")] {
                    assert_eq!(caller.may(&[wanted], of), may, "{held} {wanted} {of:?}");
                }
            }
            assert!(caller.may(&Scope::ALL, Of::Host));
            assert_eq!(caller.may(&[], Of::Some), held == Scope::Admin);
        }
    }

    #[test]
    fn names_limit_their_own_scope_only() {
        let caller = with(&["append=account,order*", "append=cart", "read:events"]);
        for (name, may) in [("account", true), ("orders", true), ("cart", true), ("accounts", false), ("", false)] {
            assert_eq!(caller.may(&[Scope::Append], Of::Name(name)), may, "{name}");
            assert!(caller.may(&[Scope::ReadEvents], Of::Name(name)));
        }
        assert!(!caller.may(&[Scope::Append], Of::Host) && caller.may(&[Scope::Append], Of::Some));
        assert!(caller.may(&[Scope::ReadEvents], Of::Host));
        // A pattern for every name is not the whole host: what has no name is not in it.
        assert!(!with(&["append=*"]).may(&[Scope::Append], Of::Host));
    }

    #[test]
    fn anyone_may_do_everything_and_nobody_nothing() {
        assert!(Caller::anyone().may(&[], Of::Host));
        assert!(!Caller::nobody().may(&Scope::ALL, Of::Some));
    }
}
