//! Paths and methods under `/v1/read-models` that are not there.

use axum::http::{Method, StatusCode};

use crate::http::problem::Problem;

/// The problem of a path that is not there, with the codes and texts of PostgREST: nothing is that deep but its functions, of which there are none.
pub(in crate::http) fn unknown_path(path: &str) -> Problem {
    let mut parts = path.trim_start_matches("/v1/read-models/").split('/');
    let (projection, rpc, function, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let problem = |message: String| Problem::from_status(StatusCode::NOT_FOUND, message);
    match (projection, rpc, function, rest) {
        (Some(projection), Some("rpc"), Some(function), None) => {
            let name = format!("{projection}.{function}");
            let details = format!("Searched for the function {name}, but no matches were found in the schema cache.");
            problem(format!("Could not find the function {name} in the schema cache")).with_postgrest_code(
                "PGRST202",
                Some(&details),
                Some("Read models have no functions."),
            )
        }
        _ => problem("Invalid path specified in request URL".to_owned()).with_postgrest_code("PGRST125", None, None),
    }
}

/// The problem of a method that the path does not take: a read model is written by its projection only.
pub(in crate::http) fn unsupported_method(method: &Method) -> Problem {
    let message = format!("Unsupported HTTP method: {method}");
    Problem::from_status(StatusCode::METHOD_NOT_ALLOWED, message).with_postgrest_code("PGRST117", None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_missing_and_other_paths_are_invalid() {
        let code = |path: &str| unknown_path(path).get("code").cloned().unwrap();
        for (path, expected) in [
            ("/v1/read-models/bank/accounts/7", "PGRST125"),
            ("/v1/read-models/bank/rpc/add", "PGRST202"),
            ("/v1/read-models/bank/rpc/add/x", "PGRST125"),
            ("/v1/read-models/a/b/c/d", "PGRST125"),
        ] {
            assert_eq!(code(path), expected, "{path}");
        }
        let missing = unknown_path("/v1/read-models/bank/rpc/add");
        assert_eq!(missing.get("message").unwrap(), "Could not find the function bank.add in the schema cache");
    }
}
