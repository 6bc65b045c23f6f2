//! What the API says of itself, held against each answer of these tests.

use std::sync::LazyLock;

use axum::http::Method;

use super::Answer;
use crate::http::openapi::{Operation, routes};

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(routes);

/// Checks that the description of the route names the status, and the code of an error.
pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_ascii_lowercase() };
    let found = OPERATIONS.iter().find(|operation| operation.method == method && fits(operation.path, path));
    let Some(operation) = found else { return };
    let described = operation.to_json();
    let at = format!("{method} {}", operation.path);
    assert!(described["responses"].get(answer.status.as_str()).is_some(), "{at}: {} is not described", answer.status);
    if let (true, Some(codes)) = (answer.status.as_u16() >= 400, operation.codes()) {
        let found = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(codes.iter().any(|code| code.as_str() == found), "{at}: the code {found} is not described");
    }
}

/// Whether a path is one of a route. Literal parts of our routes are never the name of something.
fn fits(route: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len()
        && route.iter().zip(&path).all(|(part, found)| part == found || (part.starts_with('{') && !found.is_empty()))
}
