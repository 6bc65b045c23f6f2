//! What a client is told when a query is refused, in PostgREST's words.

use std::borrow::Cow;

use gnomon_values::TimeError;

/// Why a query is refused: what PostgREST's clients read of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct QueryError {
    /// Which kind of refusal it is.
    pub code: ErrorCode,
    /// What is wrong.
    pub message: String,
    /// More about it.
    pub details: Option<String>,
    /// What would be right.
    pub hint: Option<String>,
}

/// The kinds of refusals, and the codes by which clients know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter breaks the grammar: PGRST100.
    Syntax,
    /// The query string is longer than [`MAX_QUERY_BYTES`](super::MAX_QUERY_BYTES). PostgREST has no such limit, hence no code
    /// of its own for it: PGRST100 as well.
    TooLong,
    /// A limit or an offset that no page can have: PGRST103.
    Range,
    /// A parameter names a resource that is not embedded: PGRST108.
    NotEmbedded,
    /// An aggregate function: PGRST123.
    Aggregate,
    /// Something that PostgREST knows and Gnomon does not: PGRST127.
    NotImplemented,
    /// An error of Postgres, by its SQLSTATE.
    Postgres(Cow<'static, str>),
}

impl ErrorCode {
    /// The code, as clients read it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Syntax | Self::TooLong => "PGRST100",
            Self::Range => "PGRST103",
            Self::NotEmbedded => "PGRST108",
            Self::Aggregate => "PGRST123",
            Self::NotImplemented => "PGRST127",
            Self::Postgres(sqlstate) => sqlstate,
        }
    }
}

impl QueryError {
    /// An error of Postgres, which clients see as it is.
    #[must_use]
    pub fn from_postgres(sqlstate: &str, message: &str, details: Option<&str>, hint: Option<&str>) -> Self {
        Self {
            code: ErrorCode::Postgres(Cow::Owned(sqlstate.to_owned())),
            message: message.to_owned(),
            details: details.map(str::to_owned),
            hint: hint.map(str::to_owned),
        }
    }

    /// Something that PostgREST knows and we do not.
    #[must_use]
    pub fn not_implemented(details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::NotImplemented, "Feature not implemented".to_owned()) }
    }

    /// Rows that no page can have.
    #[must_use]
    pub fn range(details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::Range, "Requested range not satisfiable".to_owned()) }
    }

    /// A parameter that breaks the grammar: PGRST100.
    pub(super) fn syntax(message: String, details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::Syntax, message) }
    }

    /// More of something than a query may have. PostgREST has no such limits, hence no code of its own for them.
    pub(super) fn too_many(what: &str, limit: usize) -> Self {
        Self::syntax(format!("the query has too many {what}"), format!("At most {limit} are allowed."))
    }

    /// A parameter without `=`.
    pub(super) fn without_value(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" has no value"),
            "A filter is written column=operator.value, as carrier=eq.UA.".to_owned(),
        )
    }

    /// A parameter that can be there once, and is there again.
    pub(super) fn twice(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" is there twice"),
            "Only filters and logic trees can be there several times.".to_owned(),
        )
    }

    /// A `limit` or `offset` that is not a number.
    pub(super) fn no_number(parameter: &str, value: &str) -> Self {
        Self::syntax(format!("the parameter \"{parameter}\" must be a whole number"), format!("It is \"{value}\"."))
    }

    /// A query string that is not even looked at.
    pub(super) fn too_long(bytes: usize, limit: usize) -> Self {
        let details = format!("It has {bytes} bytes; at most {limit} are allowed.");
        Self { code: ErrorCode::TooLong, ..Self::syntax("the query string is too long".to_owned(), details) }
    }

    /// A filter, order or limit for a resource that `select` does not embed. None can be embedded yet, so this is the
    /// truth for every such parameter.
    pub(super) fn not_embedded(resource: &str) -> Self {
        Self {
            hint: Some(format!("Verify that '{resource}' is included in the 'select' query parameter.")),
            ..Self::new(ErrorCode::NotEmbedded, format!("'{resource}' is not an embedded resource in this request"))
        }
    }

    /// An aggregate function. PostgREST refuses them in these words unless they are switched on.
    pub(super) fn aggregate() -> Self {
        Self::new(ErrorCode::Aggregate, "Use of aggregate functions is not allowed".to_owned())
    }

    /// A limit below zero.
    pub(super) fn negative_limit() -> Self {
        Self::range("Limit should be greater than or equal to zero.".to_owned())
    }

    /// An offset below zero.
    pub(super) fn negative_offset() -> Self {
        Self::range("Offset should be greater than or equal to zero.".to_owned())
    }

    /// A column that the table does not have: Postgres' own code and words.
    pub(super) fn undefined_column(table: &str, column: &str, hint: Option<String>) -> Self {
        let message = format!("column {table}.{column} does not exist");
        Self { hint, ..Self::new(ErrorCode::Postgres(Cow::Borrowed("42703")), message) }
    }

    /// An instant within a leap second: Postgres' own code and words for times that it does not know.
    pub(super) fn leap_second(value: &str) -> Self {
        let error = TimeError::LeapSecond(value.to_owned());
        let message = format!("date/time field value out of range: {value:?}");
        Self { details: Some(error.to_string()), ..Self::new(ErrorCode::Postgres(Cow::Borrowed("22008")), message) }
    }

    fn new(code: ErrorCode, message: String) -> Self {
        Self { code, message, details: None, hint: None }
    }
}
