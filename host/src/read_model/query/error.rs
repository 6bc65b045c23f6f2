//! Errors of queries, with the codes and messages of PostgREST.

use std::borrow::Cow;

use gnomon_values::TimeError;

use super::candidate::Candidate;

/// Why a query is refused: the four fields that PostgREST's clients read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct QueryError {
    /// Which kind of refusal it is.
    pub code: ErrorCode,
    /// What is wrong.
    pub message: String,
    /// Details of the error.
    pub details: Option<String>,
    /// How to correct it.
    pub hint: Option<String>,
}

/// The kinds of refusals, and the codes by which clients know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter breaks the grammar: PGRST100.
    Syntax,
    /// The query string is longer than [`MAX_QUERY_BYTES`](super::MAX_QUERY_BYTES). PostgREST has no such limit and no code for
    /// it: PGRST100 as well.
    TooLong,
    /// A negative limit or offset: PGRST103.
    Range,
    /// A parameter names a resource that is not embedded: PGRST108.
    NotEmbedded,
    /// An order by a resource of which a row has several: PGRST118.
    RelatedOrder,
    /// A filter on an embedded resource that is not `is.null`: PGRST120.
    EmbeddingFilter,
    /// An aggregate function: PGRST123.
    Aggregate,
    /// A feature of PostgREST that Gnomon does not have: PGRST127.
    NotImplemented,
    /// No relationship to the resource that is to be embedded: PGRST200.
    NoRelationship,
    /// Several relationships to it: PGRST201.
    Ambiguous(Vec<Candidate>),
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
            Self::RelatedOrder => "PGRST118",
            Self::EmbeddingFilter => "PGRST120",
            Self::Aggregate => "PGRST123",
            Self::NotImplemented => "PGRST127",
            Self::NoRelationship => "PGRST200",
            Self::Ambiguous(_) => "PGRST201",
            Self::Postgres(sqlstate) => sqlstate,
        }
    }
}

impl QueryError {
    /// A live query names a time by a word, which means another time later.
    #[must_use]
    pub fn live_by_the_clock() -> Self {
        Self {
            code: ErrorCode::NotImplemented,
            message: "Feature not implemented".to_owned(),
            details: Some(
                "A live query cannot read a time from a word such as `now`, in a filter or by a cast: its rows would change without an event."
                    .to_owned(),
            ),
            hint: Some("Write the time itself, such as 2026-05-01T00:00:00Z.".to_owned()),
        }
    }

    /// An error of Postgres, passed on unchanged.
    #[must_use]
    pub fn from_postgres(sqlstate: &str, message: &str, details: Option<&str>, hint: Option<&str>) -> Self {
        Self {
            code: ErrorCode::Postgres(Cow::Owned(sqlstate.to_owned())),
            message: message.to_owned(),
            details: details.map(str::to_owned),
            hint: hint.map(str::to_owned).or_else(|| hint_for(sqlstate)),
        }
    }

    /// A feature of PostgREST that Gnomon does not have.
    #[must_use]
    pub fn not_implemented(details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::NotImplemented, "Feature not implemented".to_owned()) }
    }

    /// Something that is not a column of values, in an answer that has nothing else, and what to do instead.
    pub(super) fn not_columns(details: String, hint: &str) -> Self {
        let message = "Parquet and Arrow have columns of values only".to_owned();
        Self { details: Some(details), hint: Some(hint.to_owned()), ..Self::new(ErrorCode::NotImplemented, message) }
    }

    /// A negative limit or offset.
    #[must_use]
    pub fn range(details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::Range, "Requested range not satisfiable".to_owned()) }
    }

    /// A parameter that breaks the grammar: PGRST100.
    pub(super) fn syntax(message: String, details: String) -> Self {
        Self { details: Some(details), ..Self::new(ErrorCode::Syntax, message) }
    }

    /// More of something than a query may have. PostgREST has no such limits and no codes for them.
    pub(super) fn too_many(what: &str, limit: usize) -> Self {
        Self::syntax(format!("the query has too many {what}"), format!("At most {limit} are allowed."))
    }

    /// A filter on a full-text index by another operator than those for words.
    pub(super) fn only_words(index: &str) -> Self {
        Self {
            hint: Some(format!("Write {index}=wfts.words, as in a search engine.")),
            ..Self::syntax(
                format!("\"{index}\" is a full-text index"),
                "It is asked by the operators fts, plfts, phfts and wfts only.".to_owned(),
            )
        }
    }

    /// Something that only a full-text index has, of another name.
    pub(super) fn not_full_text(name: &str, wanted: &str) -> Self {
        Self::syntax(
            format!("\"{name}\" is not a full-text index"),
            format!("{wanted} is of the words that a query searches for in such an index."),
        )
    }

    /// A rank or a snippet without words that are searched for.
    pub(super) fn no_words(index: &str, wanted: &str) -> Self {
        Self {
            hint: Some(format!("Add a filter, such as {index}=wfts.words.")),
            ..Self::syntax(
                format!("the query does not search for words in \"{index}\""),
                format!("{wanted} is of the words that a filter on {index} searches for, unless it has not. in front."),
            )
        }
    }

    /// A `cursor` that is none.
    pub(super) fn invalid_cursor() -> Self {
        Self {
            hint: Some(CURSOR_HINT.to_owned()),
            ..Self::syntax(
                "the parameter \"cursor\" is not a cursor".to_owned(),
                "Only what the header Gnomon-Next of an answer said is one.".to_owned(),
            )
        }
    }

    /// A `cursor` of a query with another order or other filters.
    pub(super) fn cursor_of_another_query() -> Self {
        Self {
            hint: Some(CURSOR_HINT.to_owned()),
            ..Self::syntax(
                "the cursor is of another query".to_owned(),
                "It is of the table, the order and the filters of the query that was answered with it.".to_owned(),
            )
        }
    }

    /// A `cursor` in a query that cannot have one.
    pub(super) fn no_cursor(reason: &str) -> Self {
        Self::syntax("the query has no cursor".to_owned(), reason.to_owned())
    }

    /// A parameter without `=`.
    pub(super) fn without_value(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" has no value"),
            "Write a filter as column=operator.value, such as carrier=eq.UA.".to_owned(),
        )
    }

    /// A parameter that may be given once and is given again.
    pub(super) fn twice(parameter: &str) -> Self {
        Self::syntax(
            format!("the parameter \"{parameter}\" is given twice"),
            "Only filters and logic trees may be given several times.".to_owned(),
        )
    }

    /// A `limit` or `offset` that is not a number.
    pub(super) fn not_a_number(parameter: &str, value: &str) -> Self {
        Self::syntax(format!("the parameter \"{parameter}\" must be a whole number"), format!("It is \"{value}\"."))
    }

    /// A query string that is too long to be parsed.
    pub(super) fn too_long(bytes: usize, limit: usize) -> Self {
        let details = format!("It has {bytes} bytes; at most {limit} are allowed.");
        Self { code: ErrorCode::TooLong, ..Self::syntax("the query string is too long".to_owned(), details) }
    }

    /// A filter, order or limit for a resource that `select` does not embed.
    pub(super) fn not_embedded(resource: &str) -> Self {
        Self {
            hint: Some(format!("Verify that '{resource}' is included in the 'select' query parameter.")),
            ..Self::new(ErrorCode::NotEmbedded, format!("'{resource}' is not an embedded resource in this request"))
        }
    }

    /// An order by a resource of which a row of the origin may have several.
    pub(super) fn related_order(origin: &str, target: &str) -> Self {
        let details = format!("'{origin}' and '{target}' do not form a many-to-one or one-to-one relationship");
        let message = format!("A related order on '{target}' is not possible");
        Self { details: Some(details), ..Self::new(ErrorCode::RelatedOrder, message) }
    }

    /// A filter on an embedded resource itself that asks for something else than whether it is there.
    pub(super) fn embedding_filter(target: &str) -> Self {
        let details = "Only is null or not is null filters are allowed on embedded resources".to_owned();
        let message = format!("Bad operator on the '{target}' embedded resource");
        Self { details: Some(details), ..Self::new(ErrorCode::EmbeddingFilter, message) }
    }

    /// Two embeddings of one name, with the code and message that Postgres has for PostgREST's statement.
    pub(super) fn embedded_twice(name: &str) -> Self {
        Self {
            hint: Some(format!("Give one of them another name, as in other:{name}(…).")),
            ..Self::new(
                ErrorCode::Postgres(Cow::Borrowed("42712")),
                format!("table name \"{name}\" specified more than once"),
            )
        }
    }

    /// A type that is none of those that values can be cast to, with Postgres' own code and message.
    pub(super) fn undefined_type(name: &str) -> Self {
        Self::new(ErrorCode::Postgres(Cow::Borrowed("42704")), format!("type \"{name}\" does not exist"))
    }

    /// An order of groups by a column that differs within them, with Postgres' own code and message.
    pub(super) fn not_grouped(table: &str, column: &str) -> Self {
        Self::new(
            ErrorCode::Postgres(Cow::Borrowed("42803")),
            format!(
                "column \"{table}.{column}\" must appear in the GROUP BY clause or be used in an aggregate function"
            ),
        )
    }

    /// An aggregate function. PostgREST refuses them with this message unless they are enabled.
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

    /// A range that ends before it begins.
    pub(super) fn backward_range() -> Self {
        let details = "The lower boundary must be lower than or equal to the upper boundary in the Range header.";
        Self::range(details.to_owned())
    }

    /// A column that the table does not have, with Postgres' own code and message.
    pub(super) fn undefined_column(table: &str, column: &str, hint: Option<String>) -> Self {
        let message = format!("column {table}.{column} does not exist");
        Self { hint, ..Self::new(ErrorCode::Postgres(Cow::Borrowed("42703")), message) }
    }

    /// An instant within a leap second, with Postgres' own code and message for invalid times.
    pub(super) fn leap_second(value: &str) -> Self {
        let error = TimeError::LeapSecond(value.to_owned());
        let message = format!("date/time field value out of range: {value:?}");
        Self { details: Some(error.to_string()), ..Self::new(ErrorCode::Postgres(Cow::Borrowed("22008")), message) }
    }

    /// An array of more dimensions than Postgres reads, which its own error (54000) would call an error of the server.
    pub(super) fn malformed_array(literal: &str) -> Self {
        Self {
            details: Some("It has more braces within each other than an array has dimensions.".to_owned()),
            hint: Some("Write the elements in one pair of braces, as in {a,b}.".to_owned()),
            ..Self::new(ErrorCode::Postgres(Cow::Borrowed("22P02")), format!("malformed array literal: \"{literal}\""))
        }
    }

    /// A list of a quantified filter that is not one, with Postgres' own code and message.
    pub(super) fn malformed_list(literal: &str, details: &str) -> Self {
        Self {
            details: Some(details.to_owned()),
            hint: Some("Write the values of (any) and (all) as {a,b}, or {\"a,b\",c}.".to_owned()),
            ..Self::new(ErrorCode::Postgres(Cow::Borrowed("22P02")), format!("malformed array literal: \"{literal}\""))
        }
    }

    /// A time with a time zone for a column that has none: Postgres would drop the zone without a word, and find other rows than
    /// the client means.
    pub(super) fn time_zone(sql_type: &str, value: &str) -> Self {
        let details = "The column has no time zone, so what it holds cannot be compared with a time in a zone.";
        Self {
            details: Some(details.to_owned()),
            hint: Some("Write the value without Z, an offset or the name of a zone.".to_owned()),
            ..Self::new(
                ErrorCode::Postgres(Cow::Borrowed("22007")),
                format!("invalid input syntax for type {sql_type}: {value:?}"),
            )
        }
    }

    pub(super) fn new(code: ErrorCode, message: String) -> Self {
        Self { code, message, details: None, hint: None }
    }
}

/// How to go on with a cursor.
const CURSOR_HINT: &str =
    "Send the cursor as it came, with the same filters and order; or leave it empty to begin at the first row.";

/// What would do, where Postgres refuses a value without saying so.
fn hint_for(sqlstate: &str) -> Option<String> {
    let hint = match sqlstate {
        "22007" | "22008" => {
            "Write a timestamp as 2013-01-01T10:17:00Z, a local timestamp as 2013-01-01T10:17:00, a date as 2013-01-01 and a time as \
             10:17:00."
        }
        "22021" => "The character NUL (%00) is in no text of a table: leave it out.",
        _ => return None,
    };
    Some(hint.to_owned())
}
