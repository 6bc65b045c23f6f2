//! The answers to callers who are not known, or may not do what they want: problems with `WWW-Authenticate`, as RFC 6750 says, and with the codes
//! that clients of PostgREST know where its dialect is spoken.

use axum::http::{HeaderValue, header};

use super::{
    dialect::Dialect,
    problem::{Code, Problem},
};
use crate::{
    access::{Caller, Grants, Refusal, Scope, Who},
    metrics,
};

/// The problem of a request without a token that the host takes.
pub(super) fn unauthenticated(refusal: Refusal) -> Problem {
    metrics::of_host().http.denied("unauthenticated");
    let (code, parameters) = match refusal {
        Refusal::Missing => ("PGRST302", String::new()),
        _ => ("PGRST301", format!(", error=\"invalid_token\", error_description=\"{refusal}\"")),
    };
    in_dialect(Problem::new(Code::Unauthenticated, refusal.to_string()), code, &parameters)
}

/// The problem of a caller who may not do something: to what `name` has, which is a `kind`; or to the whole host. `way_out` is a part of a
/// sentence.
pub(super) fn forbidden(caller: &Caller, scopes: &[Scope], name: Option<(&str, &str)>, way_out: &str) -> Problem {
    metrics::of_host().http.denied("forbidden");
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let wanted = format!("`{}`", names.join("` or `"));
    let on = match name {
        Some((kind, name)) => format!(" for the {kind} `{name}`"),
        None if scopes == [Scope::Admin] => String::new(),
        None => " without a limit to names".to_owned(),
    };
    let (who, held) = (who(caller.who()), listed(caller.grants()));
    let problem =
        Problem::new(Code::Forbidden, format!("this needs the scope {wanted}{on}; {who} has {held}{way_out}"));
    let problem = match name {
        Some((_, name)) => problem.with("name", name),
        None => problem,
    };
    let parameters = format!(", error=\"insufficient_scope\", scope=\"{}\"", names.join(" "));
    in_dialect(problem.with("scopes", &names), "42501", &parameters)
}

/// The problem with the code of PostgREST, where its dialect is spoken, and with a challenge of these parameters.
fn in_dialect(problem: Problem, code: &str, parameters: &str) -> Problem {
    let bare = HeaderValue::from_static("Bearer realm=\"gnomon\"");
    let challenge = HeaderValue::try_from(format!("Bearer realm=\"gnomon\"{parameters}")).unwrap_or(bare);
    let problem = problem.with_header(header::WWW_AUTHENTICATE, challenge);
    match Dialect::current() {
        Dialect::Own => problem,
        Dialect::Postgrest => problem.with_postgrest_code(code, None, None),
    }
}

fn who(who: &Who) -> String {
    match who {
        Who::Token(name) => format!("the token `{name}`"),
        Who::Subject(name) => format!("the JWT of `{name}`"),
        other => other.to_string(),
    }
}

fn listed(grants: &Grants) -> String {
    let texts = grants.texts();
    if texts.is_empty() { "no scope that this host knows".to_owned() } else { texts.join(" ") }
}
