//! The header `Gnomon-Session`: what a client sends back of the last answer, so that no later one is older, whichever host answers and whichever
//! projection it is of.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    event_log::Position,
    http::problem::{Code, Problem},
};

/// Header of requests and answers.
pub(super) const SESSION: HeaderName = HeaderName::from_static("gnomon-session");
/// What stands before the position. Another form of the token gets another one.
const FORM: &str = "s1-";

/// What a client has seen: the effect of every event up to a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    seen: Position,
}

impl Session {
    /// The session that a request continues; a new one without the header.
    ///
    /// # Errors
    /// The header is not what an answer had.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(SESSION) else { return Ok(Self::default()) };
        let token = value.to_str().ok().and_then(|text| text.trim().strip_prefix(FORM)?.parse().ok());
        token.map(|position| Self { seen: Position(position) }).ok_or_else(|| {
            let detail = format!(
                "Gnomon-Session must be what the answer before had in its header of this name; it is {value:?}"
            );
            Problem::new(Code::InvalidHeader, detail)
        })
    }

    /// The position that the next answer must hold. `None` in a new session.
    pub(super) fn seen(self) -> Option<Position> {
        (self.seen > Position(0)).then_some(self.seen)
    }

    /// The session after an answer of a position.
    pub(super) fn after(self, answered: Position) -> Self {
        Self { seen: self.seen.max(answered) }
    }

    /// The header of an answer.
    pub(super) fn header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{FORM}{}", self.seen)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_remembers_the_newest_position() {
        let session = Session::of(&HeaderMap::new()).unwrap();
        assert_eq!(session.seen(), None);
        let session = session.after(Position(7)).after(Position(3));
        assert_eq!(session.seen(), Some(Position(7)));
        let headers = HeaderMap::from_iter([(SESSION, session.header().unwrap())]);
        assert_eq!(Session::of(&headers).unwrap(), session);
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        for value in ["", "7", "s1-", "s1-x", "s1--1", "s2-7", "s1-99999999999999999999"] {
            let headers = HeaderMap::from_iter([(SESSION, HeaderValue::from_str(value).unwrap())]);
            assert!(Session::of(&headers).is_err(), "{value}");
        }
    }
}
