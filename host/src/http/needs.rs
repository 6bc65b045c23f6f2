//! What a caller needs for a route. Each route says it where it is described, and the [`Guard`](super::guard::Guard) sees to it.

#[cfg(test)]
use std::fmt::Write as _;

use crate::access::Scope;

/// What a caller needs for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: it is for everybody, and tells nobody anything of what is in the database.
    Nothing,
    /// Nothing, but who may do more is told more.
    NothingYet,
    /// A token, whatever it is for.
    Token,
    /// One of these scopes, on something.
    One(&'static [Scope], On),
}

/// What the names of a scope have to cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Everything: a scope that is limited to names is not enough.
    Host,
    /// What the body or the query string names, or what a list shows. The handler checks each name.
    Each(&'static str),
    /// The category of the stream that the path names.
    Category,
    /// What this part of the path names.
    Part(&'static str),
}

impl Needs {
    /// To append to the stream of the path.
    pub(super) const APPEND: Self = Self::One(&[Scope::Append], On::Category);
    /// To append to the streams of the body.
    pub(super) const APPEND_EACH: Self = Self::One(&[Scope::Append], On::Each("each category"));
    /// To read the stream of the path.
    pub(super) const READ_STREAM: Self = Self::One(&[Scope::ReadEvents], On::Category);
    /// To read of the categories that are named.
    pub(super) const READ_EACH: Self = Self::One(&[Scope::ReadEvents], On::Each("each category"));
    /// To read of every category.
    pub(super) const READ_ALL: Self = Self::One(&[Scope::ReadEvents], On::Host);
    /// To read the rows of the projection of the path.
    pub(super) const READ_MODEL: Self = Self::One(&[Scope::ReadModels], On::Part("projection"));
    /// To see the read models that one may read.
    pub(super) const LIST_MODELS: Self = Self::One(&[Scope::ReadModels], On::Each("each projection"));
    /// To deploy the module of the path.
    pub(super) const DEPLOY: Self = Self::One(&[Scope::Deploy], On::Part("name"));
    /// To deploy the modules of the body.
    pub(super) const DEPLOY_EACH: Self = Self::One(&[Scope::Deploy], On::Each("each module"));
    /// To see the module, the projection or the reactor of the path, which who deploys it does as well.
    pub(super) const SEE: Self = Self::One(&[Scope::Operate, Scope::Deploy], On::Part("name"));
    /// To see those that one may see.
    pub(super) const SEE_EACH: Self = Self::One(&[Scope::Operate, Scope::Deploy], On::Each("each name"));
    /// To operate the projection or the reactor of the path.
    pub(super) const OPERATE: Self = Self::One(&[Scope::Operate], On::Part("name"));
    /// To operate what has no owner: the host, the outbox, its sinks.
    pub(super) const OPERATE_HOST: Self = Self::One(&[Scope::Operate], On::Host);
    /// To see what the whole log consists of.
    pub(super) const STATISTICS: Self = Self::One(&[Scope::Operate, Scope::ReadEvents], On::Host);
    /// To give powers to others.
    pub(super) const ADMIN: Self = Self::One(&[Scope::Admin], On::Host);

    /// The scopes, one of which is enough; none if no scope is needed.
    pub(super) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::One(scopes, _) => scopes,
            Self::Nothing | Self::NothingYet | Self::Token => &[],
        }
    }

    /// For the page with the table of routes: the scope, and what it has to cover.
    #[cfg(test)]
    pub(super) fn in_words(self) -> String {
        let (scopes, on) = match self {
            Self::Nothing => return "nothing".to_owned(),
            Self::NothingYet => return "nothing; who may read a projection sees its tables".to_owned(),
            Self::Token => return "any token".to_owned(),
            Self::One(scopes, on) => (scopes, on),
        };
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let mut words = scopes.join(" or ");
        let _ = match on {
            On::Host if scopes == ["`admin`"] => Ok(()),
            On::Host => write!(words, ", not limited to names"),
            On::Each(what) => write!(words, ", for {what}"),
            On::Category => write!(words, ", for the category of `{{stream}}`"),
            On::Part(part) => write!(words, ", for `{{{part}}}`"),
        };
        words
    }
}
