//! Which moment of the past a request asks for: `Gnomon-As-Of`, or the parameters `as_of` and `version`.

use axum::http::{HeaderMap, HeaderName};
use gnomon_values::Instant;
use percent_encoding::percent_decode_str;

use super::refusal::ReadTableError;
use crate::{
    event_log::Position,
    http::{
        problem::{Code, Problem},
        state::Api,
    },
    modules::ModuleVersion,
    queries::ReadError,
};

/// Header of requests: a position, or an instant.
pub(super) const AS_OF: HeaderName = HeaderName::from_static("gnomon-as-of");
/// The parameters of the same meaning. With a point in its value, a parameter of such a name is a filter on a column that is called so; an
/// instant begins with a digit, which no filter does.
const AS_OF_PARAMETER: &str = "as_of";
const VERSION_PARAMETER: &str = "version";

/// The moment that a request asks for, and the version of the logic that is to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AsOf {
    moment: Moment,
    /// Where it was asked for.
    code: Code,
    /// `None` is that of the active build.
    pub(super) version: Option<ModuleVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Position(Position),
    Instant(Instant),
}

impl AsOf {
    /// Reads the headers and the query string. Returns the rest of the query string as well.
    ///
    /// # Errors
    /// It is neither a position nor an instant, is there twice, or names a version without a moment.
    pub(super) fn of(headers: &HeaderMap, query: &str) -> Result<(Option<Self>, String), ReadTableError> {
        let mut moments: Vec<(Moment, Code)> = Vec::new();
        for value in headers.get_all(AS_OF) {
            let text = value.to_str().unwrap_or_default().trim();
            let moment =
                moment(text).map_err(|reason| refused(Code::InvalidHeader, format!("Gnomon-As-Of {reason}")))?;
            moments.push((moment, Code::InvalidHeader));
        }
        let (mut versions, mut rest) = (Vec::new(), Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match &*percent_decode_str(name).decode_utf8_lossy() {
                AS_OF_PARAMETER if !is_filter(&value) => {
                    let moment =
                        moment(&value).map_err(|reason| refused(Code::InvalidQuery, format!("as_of {reason}")))?;
                    moments.push((moment, Code::InvalidQuery));
                }
                VERSION_PARAMETER if !is_filter(&value) => match value.parse() {
                    Ok(version) => versions.push(ModuleVersion(version)),
                    Err(_) => {
                        let detail = format!(
                            "version must be the number of a version; it is {value:?}. A filter on a column `version` is version=eq.7"
                        );
                        return Err(refused(Code::InvalidQuery, detail));
                    }
                },
                _ => rest.push(parameter),
            }
        }
        let rest = rest.join("&");
        match (moments.as_slice(), versions.as_slice()) {
            ([], []) => Ok((None, rest)),
            ([(moment, code)], [] | [_]) => {
                Ok((Some(Self { moment: *moment, code: *code, version: versions.first().copied() }), rest))
            }
            ([], _) => {
                let detail = "version says which version of the logic shows the past: name a position or an instant with as_of as well";
                Err(refused(Code::InvalidQuery, detail.to_owned()))
            }
            ([_], _) => Err(refused(Code::InvalidQuery, "version is there twice".to_owned())),
            (_, _) => Err(refused(Code::InvalidQuery, "as_of (or Gnomon-As-Of) is there twice".to_owned())),
        }
    }

    /// The position that is asked for: of an instant, that of the newest event that was recorded until then.
    ///
    /// # Errors
    /// The log does not reach so far, or Postgres fails.
    pub(super) async fn position(&self, api: &Api) -> Result<Position, ReadTableError> {
        match self.moment {
            Moment::Position(wanted) => {
                let head = api.log.read_head().await.map_err(ReadError::from)?;
                if wanted > head {
                    return Err(ReadError::NotYet { wanted, head }.into());
                }
                Ok(wanted)
            }
            Moment::Instant(instant) => {
                let (position, has_passed) = api.log.position_at(instant).await.map_err(ReadError::from)?;
                if !has_passed {
                    let detail =
                        format!("as_of {instant} has not passed yet: events that are appended until then belong to it");
                    return Err(refused(self.code, detail));
                }
                Ok(position)
            }
        }
    }
}

/// Whether a parameter is a filter on a column.
fn is_filter(value: &str) -> bool {
    value.contains('.') && !value.starts_with(|first: char| first.is_ascii_digit())
}

fn moment(text: &str) -> Result<Moment, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(position) = text.parse()
    {
        return Ok(Moment::Position(Position(position)));
    }
    Instant::parse(text).map(Moment::Instant).map_err(|error| {
        let plus = if text.contains(' ') || text.contains('+') { " (a + in a URL is written %2B)" } else { "" };
        format!("must be a position of the log, or an instant such as 2026-05-01T00:00:00Z{plus}: {error}")
    })
}

fn refused(code: Code, detail: String) -> ReadTableError {
    ReadTableError::Other(Problem::new(code, detail))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(header: Option<&str>, query: &str) -> Result<(Option<AsOf>, String), String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AS_OF, HeaderValue::from_str(header).unwrap());
        }
        AsOf::of(&headers, query).map_err(|error| match error {
            ReadTableError::Other(problem) => problem.get("detail").unwrap().as_str().unwrap().to_owned(),
            _ => "another error".to_owned(),
        })
    }

    #[test]
    fn the_moment_is_taken_out_of_the_query() {
        let position =
            |position, code| Some(AsOf { moment: Moment::Position(Position(position)), code, version: None });
        let query = Code::InvalidQuery;
        assert_eq!(of(None, "a=eq.1&limit=2"), Ok((None, "a=eq.1&limit=2".to_owned())));
        assert_eq!(of(None, "a=eq.1&as_of=7&limit=2"), Ok((position(7, query), "a=eq.1&limit=2".to_owned())));
        assert_eq!(of(Some(" 0 "), ""), Ok((position(0, Code::InvalidHeader), String::new())));
        let at = Instant::parse("2026-05-01T00:00:00.5Z").unwrap();
        for text in ["2026-05-01T00:00:00.5Z", "2026-05-01T00%3A00:00.500Z", "2026-05-01T02:00:00.5%2B02:00"] {
            let expected = AsOf { moment: Moment::Instant(at), code: query, version: Some(ModuleVersion(3)) };
            assert_eq!(of(None, &format!("version=3&as%5Fof={text}")), Ok((Some(expected), String::new())), "{text}");
        }
    }

    #[test]
    fn filters_on_columns_of_these_names_stay() {
        for query in ["as_of=eq.7", "version=gte.3", "as_of=not.is.null&version=in.(1,2)", "version=eq.1.5"] {
            assert_eq!(of(None, query), Ok((None, query.to_owned())));
        }
        assert_eq!(of(None, "version=eq.3&as_of=7").unwrap().1, "version=eq.3");
    }

    #[test]
    fn what_is_no_moment_is_refused_in_words() {
        for (header, query, reason) in [
            (None, "as_of=yesterday", "must be a position of the log, or an instant"),
            (None, "as_of=", "must be a position of the log, or an instant"),
            (None, "as_of=-1", "must be a position of the log, or an instant"),
            (None, "as_of=99999999999999999999", "must be a position of the log, or an instant"),
            (None, "as_of=2026-05-01T00:00:00 02:00", "%2B"),
            (Some("soon"), "", "Gnomon-As-Of must be"),
            (None, "as_of=1&as_of=2", "there twice"),
            (Some("1"), "as_of=1", "there twice"),
            (None, "as_of=1&version=1&version=2", "version is there twice"),
            (None, "version=2", "name a position or an instant with as_of"),
            (None, "as_of=1&version=two", "the number of a version"),
        ] {
            let error = of(header, query).unwrap_err();
            assert!(error.contains(reason), "{query}: {error}");
        }
    }
}
