//! Splits the query string into parameters.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{
    cursor::read,
    error::QueryError,
    field::{self, FieldName},
    limits::MAX_QUERY_BYTES,
    name::name,
};

/// The parameters of a query string.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) select: Option<String>,
    pub(super) cursor: Option<String>,
    /// All others that mean something, in the order of the query string.
    pub(super) placed: Vec<Parameter>,
}

/// A parameter of the table that is asked, or of a resource that is embedded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    /// As it is written.
    pub(super) key: String,
    /// The names of the embedded resources that lead to it.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    pub(super) value: String,
}

/// What a parameter says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Filter(FieldName),
    /// `and`, `or`, `not.and` or `not.or`
    Logic(String),
    Order,
    Limit,
    Offset,
}

impl Parameters {
    /// Splits a query string.
    ///
    /// PostgREST ignores a parameter without `=`, and all but one of several `select`, `order`, `limit` or `offset`. Gnomon refuses them: a
    /// client that writes `carrier.eq.UA` instead of `carrier=eq.UA` must not get the rows of a query without a filter. `columns` and
    /// `on_conflict` are of writes; in a read they are read and have no effect, as in PostgREST.
    pub(super) fn parse(query: &str) -> Result<Self, QueryError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(QueryError::too_long(query.len(), MAX_QUERY_BYTES));
        }
        let mut parameters = Self::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let Some((key, value)) = parameter.split_once('=') else {
                return Err(QueryError::without_value(&decode(parameter)?));
            };
            parameters.add(decode(key)?, decode(value)?)?;
        }
        Ok(parameters)
    }

    fn add(&mut self, key: String, value: String) -> Result<(), QueryError> {
        match key.as_str() {
            "select" if self.select.is_some() => return Err(QueryError::twice(&key)),
            "select" => self.select = Some(value),
            "cursor" if is_cursor(&value) && self.cursor.is_some() => return Err(QueryError::twice(&key)),
            "cursor" if is_cursor(&value) => self.cursor = Some(value),
            "columns" => check_names("columns parameter", &value)?,
            "on_conflict" => check_names("on_conflict parameter", &value)?,
            _ => self.placed.push(Parameter::new(key, value)?),
        }
        Ok(())
    }
}

impl Parameter {
    fn new(key: String, value: String) -> Result<Self, QueryError> {
        let (mut path, field) = field::key(&key)?;
        // Decided by the text, as PostgREST does, so that a name in quotes is not one of these words.
        let kind = match key.rsplit('.').next().unwrap_or_default() {
            "order" => Kind::Order,
            "limit" => Kind::Limit,
            "offset" => Kind::Offset,
            connective @ ("and" | "or") => Kind::Logic(match path.pop_if(|last| last == "not") {
                Some(_) => format!("not.{connective}"),
                None => connective.to_owned(),
            }),
            _ => Kind::Filter(field),
        };
        Ok(Self { key, path, kind, value })
    }
}

/// Whether the value of a parameter named `cursor` is a cursor. A filter on a column of this name has a point.
fn is_cursor(value: &str) -> bool {
    !value.contains('.')
}

/// Checks a list of names that has no effect.
fn check_names(what: &'static str, value: &str) -> Result<(), QueryError> {
    read(what, value, value, |cursor| {
        name(cursor)?;
        loop {
            cursor.blanks();
            if !cursor.literal(",") {
                return Ok(());
            }
            cursor.blanks();
            name(cursor)?;
        }
    })
}

/// Decodes a key or value. An invalid escape stays as it is.
fn decode(text: &str) -> Result<String, QueryError> {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match percent_decode(spaced.as_bytes()).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(QueryError::syntax(
            "the query string is not UTF-8".to_owned(),
            format!("It is not UTF-8 once decoded: {text}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::query::{ErrorCode, json_path::JsonPath};

    fn filter(column: &str, value: &str) -> Parameter {
        let kind = Kind::Filter(FieldName { column: column.into(), path: JsonPath::default() });
        Parameter { key: column.into(), path: vec![], kind, value: value.into() }
    }

    fn other(key: &str, path: &[&str], kind: Kind, value: &str) -> Parameter {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        Parameter { key: key.into(), path, kind, value: value.into() }
    }

    fn logic(connective: &str) -> Kind {
        Kind::Logic(connective.into())
    }

    #[test]
    fn keys_say_what_values_are() {
        let parameters = Parameters::parse("select=a&order=b&limit=3&offset=4&c=eq.1&and=(d)&not.or=(e)&c=lt.5");
        assert_eq!(
            parameters,
            Ok(Parameters {
                select: Some("a".into()),
                cursor: None,
                placed: vec![
                    other("order", &[], Kind::Order, "b"),
                    other("limit", &[], Kind::Limit, "3"),
                    other("offset", &[], Kind::Offset, "4"),
                    filter("c", "eq.1"),
                    other("and", &[], logic("and"), "(d)"),
                    other("not.or", &[], logic("not.or"), "(e)"),
                    filter("c", "lt.5"),
                ],
            })
        );
    }

    #[test]
    fn paths_lead_to_embedded_resources() {
        for (key, path, kind) in [
            ("clients.order", &["clients"][..], Kind::Order),
            ("clients.x.limit", &["clients", "x"], Kind::Limit),
            ("\"my clients\".offset", &["my clients"], Kind::Offset),
            ("clients.or", &["clients"], logic("or")),
            ("clients.not.and", &["clients"], logic("not.and")),
            ("not.clients.and", &["not", "clients"], logic("and")),
        ] {
            assert_eq!(Parameters::parse(&format!("{key}=1")).unwrap().placed, [other(key, path, kind, "1")], "{key}");
        }
        let Ok(Parameters { placed, .. }) = Parameters::parse("clients.doc->>\"or\"=eq.1") else { panic!("refused") };
        assert_eq!(placed[0].path, ["clients"]);
        assert!(matches!(&placed[0].kind, Kind::Filter(field) if field.path.last_key() == Some("or")));
    }

    #[test]
    fn what_postgrest_ignores_is_refused() {
        assert_eq!(Parameters::parse(""), Ok(Parameters::default()));
        assert_eq!(Parameters::parse("&&"), Ok(Parameters::default()));
        for (query, message) in [
            ("carrier.eq.UA", "the parameter \"carrier.eq.UA\" has no value"),
            ("a=eq.1&select", "the parameter \"select\" has no value"),
            ("select=a&select=b", "the parameter \"select\" is given twice"),
        ] {
            let error = Parameters::parse(query).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), ("PGRST100", message));
        }
    }

    #[test]
    fn parameters_of_writes_have_no_effect() {
        for query in ["columns=a", "columns=a,\"b c\" , d", "on_conflict=a&columns=a&columns=b"] {
            assert_eq!(Parameters::parse(query), Ok(Parameters::default()), "{query}");
        }
        let error = Parameters::parse("columns=a,").unwrap_err();
        assert_eq!(error.message, "\"failed to parse columns parameter (a,)\" (line 1, column 3)");
        let error = Parameters::parse("on_conflict=").unwrap_err();
        assert_eq!(error.message, "\"failed to parse on_conflict parameter ()\" (line 1, column 1)");
    }

    #[test]
    fn a_value_begins_after_the_first_equals_sign() {
        assert_eq!(Parameters::parse("a==&b=1=2").unwrap().placed, [filter("a", "="), filter("b", "1=2")]);
    }

    #[test]
    fn keys_and_values_are_decoded_once() {
        for (encoded, decoded) in [("a%20b", "a b"), ("%C3%A9é", "éé"), ("a+b", "a b")] {
            assert_eq!(Parameters::parse(&format!("{encoded}={encoded}")).unwrap().placed, [filter(decoded, decoded)]);
        }
        for (encoded, decoded) in [("%26%3D%25", "&=%"), ("%zz%2", "%zz%2"), ("%2525", "%25"), ("c%2B", "c+")] {
            assert_eq!(Parameters::parse(&format!("a={encoded}")).unwrap().placed, [filter("a", decoded)]);
        }
        let error = Parameters::parse("a=%FF").unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!(error.message, "the query string is not UTF-8");
        assert_eq!(error.details.as_deref(), Some("It is not UTF-8 once decoded: %FF"));
    }

    #[test]
    fn a_path_with_an_empty_name_is_refused() {
        for key in ["", ".order", ".and", "!.limit", "..or"] {
            let error = Parameters::parse(&format!("{key}=1")).unwrap_err();
            assert_eq!(error.message, format!("\"failed to parse tree path ({key})\" (line 1, column 1)"));
        }
    }

    #[test]
    fn the_length_is_limited() {
        let longest = format!("a={}", "x".repeat(MAX_QUERY_BYTES - 2));
        assert!(Parameters::parse(&longest).is_ok());
        let error = Parameters::parse(&format!("{longest}x")).unwrap_err();
        assert_eq!((&error.code, error.code.as_str()), (&ErrorCode::TooLong, "PGRST100"));
        assert_eq!(error.message, "the query string is too long");
        assert_eq!(error.details.as_deref(), Some("It has 32769 bytes; at most 32768 are allowed."));
    }
}
