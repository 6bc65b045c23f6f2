//! The dialect in which a path answers: this API's own, or PostgREST's.
//!
//! Under `/v1/read-models` every error is one that PostgREST's clients read, wherever it comes from: from a handler, from the door, or since there is
//! nothing at the path. So an error asks here how it has to look.

use axum::http::HeaderValue;

/// The path under which PostgREST's dialect is spoken.
const READ_MODELS: &str = "/v1/read-models";

tokio::task_local! {
    /// The dialect of the request that the current task answers.
    static CURRENT: Dialect;
}

/// How a path answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As this API does.
    #[default]
    Own,
    /// As PostgREST does.
    Postgrest,
}

impl Dialect {
    /// The dialect of a path.
    pub(super) fn of(path: &str) -> Self {
        match path.strip_prefix(READ_MODELS) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Postgrest,
            _ => Self::Own,
        }
    }

    /// The dialect of the request that the current task answers.
    pub(super) fn current() -> Self {
        CURRENT.try_with(|current| *current).unwrap_or_default()
    }

    /// Runs `answer` as part of a request in this dialect.
    pub(super) async fn scope<T>(self, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }

    /// The media type of an error.
    pub(super) fn media_type_of_errors(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Own => "application/problem+json",
            Self::Postgrest => "application/json; charset=utf-8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_models_are_in_the_dialect_of_postgrest() {
        for path in ["/v1/read-models", "/v1/read-models/", "/v1/read-models/a/b", "/v1/read-models/a/b/c/d"] {
            assert_eq!(Dialect::of(path), Dialect::Postgrest, "{path}");
        }
        for path in ["/", "/v1/read-modelsx", "/v1/events", "/x/v1/read-models"] {
            assert_eq!(Dialect::of(path), Dialect::Own, "{path}");
        }
        assert_eq!(Dialect::current(), Dialect::Own);
    }
}
