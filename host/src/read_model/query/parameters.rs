//! Splits the query string into parameters.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{error::QueryError, name};

/// The parameters of a query string.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) select: Option<String>,
    pub(super) order: Option<String>,
    pub(super) limit: Option<String>,
    pub(super) offset: Option<String>,
    /// All filters and logic trees, in the order of the query string.
    pub(super) wheres: Vec<Where>,
}

/// A parameter that filters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// `column=…`
    Filter { key: String, value: String },
    /// `and=…`, `or=…`, `not.and=…` or `not.or=…`
    Logic { key: String, value: String },
}

impl Parameters {
    /// Splits a query string.
    ///
    /// PostgREST ignores a parameter without `=`, `columns`, which limits what a write may change, and all but one of several
    /// `select`, `order`, `limit` or `offset`. Gnomon refuses them: a client that writes `carrier.eq.UA` instead of
    /// `carrier=eq.UA` must not get the rows of a query without a filter.
    pub(super) fn parse_within(query: &str, max_bytes: usize) -> Result<Self, QueryError> {
        if query.len() > max_bytes {
            return Err(QueryError::too_long(query.len(), max_bytes));
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

    #[cfg(test)]
    fn parse(query: &str) -> Result<Self, QueryError> {
        Self::parse_within(query, super::MAX_QUERY_BYTES)
    }

    fn add(&mut self, key: String, value: String) -> Result<(), QueryError> {
        match key.as_str() {
            "select" => once(&key, &mut self.select, value)?,
            "order" => once(&key, &mut self.order, value)?,
            "limit" => once(&key, &mut self.limit, value)?,
            "offset" => once(&key, &mut self.offset, value)?,
            "columns" => {
                let details = "The parameter columns is for writes, and read models cannot be written to.";
                return Err(QueryError::not_implemented(details.to_owned()));
            }
            "and" | "or" | "not.and" | "not.or" => self.wheres.push(Where::Logic { key, value }),
            _ => match key.rsplit_once('.') {
                // After a path, these words are parameters of another resource.
                Some((path, "order" | "limit" | "offset" | "and" | "or")) => {
                    return Err(name::key(&key).err().unwrap_or_else(|| QueryError::not_embedded(path)));
                }
                _ => self.wheres.push(Where::Filter { key, value }),
            },
        }
        Ok(())
    }
}

/// Sets the value of a parameter that may be given once.
fn once(key: &str, slot: &mut Option<String>, value: String) -> Result<(), QueryError> {
    if slot.is_some() {
        return Err(QueryError::twice(key));
    }
    *slot = Some(value);
    Ok(())
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
    use crate::read_model::query::{ErrorCode, MAX_QUERY_BYTES};

    fn filter(key: &str, value: &str) -> Where {
        Where::Filter { key: key.into(), value: value.into() }
    }

    fn logic(key: &str, value: &str) -> Where {
        Where::Logic { key: key.into(), value: value.into() }
    }

    #[test]
    fn keys_say_what_values_are() {
        let parameters = Parameters::parse("select=a&order=b&limit=3&offset=4&c=eq.1&and=(d)&not.or=(e)&c=lt.5");
        assert_eq!(
            parameters,
            Ok(Parameters {
                select: Some("a".into()),
                order: Some("b".into()),
                limit: Some("3".into()),
                offset: Some("4".into()),
                wheres: vec![filter("c", "eq.1"), logic("and", "(d)"), logic("not.or", "(e)"), filter("c", "lt.5")],
            })
        );
    }

    #[test]
    fn what_postgrest_ignores_is_refused() {
        assert_eq!(Parameters::parse(""), Ok(Parameters::default()));
        assert_eq!(Parameters::parse("&&"), Ok(Parameters::default()));
        for (query, message) in [
            ("carrier.eq.UA", "the parameter \"carrier.eq.UA\" has no value"),
            ("a=eq.1&select", "the parameter \"select\" has no value"),
            ("select=a&select=b", "the parameter \"select\" is given twice"),
            ("order=a&order=b", "the parameter \"order\" is given twice"),
            ("limit=1&a=eq.1&limit=2", "the parameter \"limit\" is given twice"),
            ("offset=1&offset=1", "the parameter \"offset\" is given twice"),
        ] {
            let error = Parameters::parse(query).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), ("PGRST100", message));
        }
        let error = Parameters::parse("columns=a").unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST127");
    }

    #[test]
    fn a_value_begins_after_the_first_equals_sign() {
        assert_eq!(Parameters::parse("=").unwrap().wheres, [filter("", "")]);
        assert_eq!(Parameters::parse("a==&b=1=2").unwrap().wheres, [filter("a", "="), filter("b", "1=2")]);
    }

    #[test]
    fn keys_and_values_are_decoded_once() {
        for (encoded, decoded) in
            [("a%20b+c%2B", "a b c+"), ("%26%3D%25", "&=%"), ("%C3%A9é", "éé"), ("%zz%2", "%zz%2"), ("%2525", "%25")]
        {
            assert_eq!(Parameters::parse(&format!("{encoded}={encoded}")).unwrap().wheres, [filter(decoded, decoded)]);
        }
        let error = Parameters::parse("a=%FF").unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!(error.message, "the query string is not UTF-8");
        assert_eq!(error.details.as_deref(), Some("It is not UTF-8 once decoded: %FF"));
    }

    #[test]
    fn nothing_is_embedded_yet() {
        for key in ["clients.order", "clients.limit", "clients.x.offset", "clients.and", "clients.not.or"] {
            assert_eq!(Parameters::parse(&format!("{key}=1")), Err(QueryError::not_embedded("clients")), "{key}");
        }
        assert_eq!(
            QueryError::not_embedded("clients"),
            QueryError {
                code: ErrorCode::NotEmbedded,
                message: "'clients' is not an embedded resource in this request".into(),
                details: None,
                hint: Some("Verify that 'clients' is included in the 'select' query parameter.".into()),
            }
        );
    }

    #[test]
    fn a_path_with_an_empty_name_is_refused() {
        for key in [".order", ".and", "!.limit", "..or"] {
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
