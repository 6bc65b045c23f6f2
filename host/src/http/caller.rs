//! Who makes a request, for handlers that check names themselves.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{denied::forbidden, needs::Needs, problem::Problem, server_error::internal};
use crate::{
    access::{Caller, Of, Scope},
    event_log::{Append, AppendCondition, NameFilter, StreamName},
};

/// The caller of the request, whom the [`Guard`](super::guard::Guard) has found.
#[derive(Clone, Debug)]
pub(super) struct By(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        // Without a guard before it, a handler lets nobody in.
        caller.map(Self).ok_or_else(|| internal(&"a handler was reached past the guard"))
    }
}

impl By {
    /// Refuses what the caller may not do to something of this name.
    pub(super) fn check(&self, scope: Scope, kind: &str, name: &str) -> Result<(), Problem> {
        if self.0.may(&[scope], Of::Name(name)) {
            return Ok(());
        }
        Err(forbidden(&self.0, &[scope], Some((kind, name)), ""))
    }

    /// Refuses an append to streams of other categories than the caller may append to.
    pub(super) fn check_appends(&self, appends: &[Append]) -> Result<(), Problem> {
        appends.iter().try_for_each(|append| self.check_stream(&append.stream))
    }

    /// The same for one stream.
    pub(super) fn check_stream(&self, stream: &StreamName) -> Result<(), Problem> {
        self.check(Scope::Append, "category", stream.category())
    }

    /// Refuses the condition of an append by a caller who may not see every event: whether the append fails tells whether there are events that the
    /// condition finds, in any category.
    pub(super) fn check_condition(&self, condition: Option<&AppendCondition>) -> Result<(), Problem> {
        let may = self.0.may(&[Scope::Append], Of::Host) || self.0.may(&[Scope::ReadEvents], Of::Host);
        if condition.is_none() || may {
            return Ok(());
        }
        let way_out = "; or append without a condition, with an `expected_version`";
        Err(forbidden(&self.0, &[Scope::Append, Scope::ReadEvents], None, way_out))
    }

    /// Refuses to read events of other categories than the caller may read. Who may read some only has to name them: otherwise a page that lacks
    /// events would look like one of the whole log.
    pub(super) fn check_reading(&self, categories: &NameFilter) -> Result<(), Problem> {
        match categories {
            NameFilter::Only(names) => {
                names.iter().try_for_each(|name| self.check(Scope::ReadEvents, "category", name))
            }
            NameFilter::All if self.0.may(&[Scope::ReadEvents], Of::Host) => Ok(()),
            NameFilter::All => {
                let way_out = "; name the categories that it may read: `?category=a,b`";
                Err(forbidden(&self.0, &[Scope::ReadEvents], None, way_out))
            }
        }
    }

    /// Whether the caller may see a module, a projection or a reactor of this name.
    pub(super) fn sees_in_list(&self, name: &str) -> bool {
        self.sees(Needs::SEE_EACH.scopes(), name)
    }

    /// Whether the caller may see something of this name in a list.
    pub(super) fn sees(&self, scopes: &[Scope], name: &str) -> bool {
        self.0.may(scopes, Of::Name(name))
    }
}
