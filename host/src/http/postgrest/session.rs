//! The header `Gnomon-Session`: what a client sends back of the last answer, so that no later one of the same projection is older, whichever
//! host answers.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    event_log::Position,
    http::problem::{Code, Problem},
    read_model::Identifier,
};

/// Header of requests and answers.
pub(super) const SESSION: HeaderName = HeaderName::from_static("gnomon-session");
/// What stands before the positions. Another form of the token gets another one.
const FORM: &str = "s2-";
/// The form of hosts that kept one position for all projections.
const ONE_POSITION: &str = "s1-";
/// The most projections whose positions a token names. It has 1.4 KB then, where names are as long as they may be.
const MAX_NAMED: usize = 16;

/// What a client has seen of each projection: the effect of every event up to a position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// The newest position that it has seen of any projection that is not named: one is left out when there are too many.
    of_others: Position,
    /// What it has seen of these; the one that was read last is the first.
    named: Vec<(Identifier, Position)>,
}

impl Session {
    /// The session that a request continues; a new one without the header.
    ///
    /// # Errors
    /// The header is not what an answer had.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(SESSION) else { return Ok(Self::default()) };
        value.to_str().ok().and_then(|text| Self::parse(text.trim())).ok_or_else(|| {
            let detail = format!(
                "Gnomon-Session must be what the answer before had in its header of this name; it is {value:?}"
            );
            Problem::new(Code::InvalidHeader, detail)
        })
    }

    fn parse(token: &str) -> Option<Self> {
        let position = |digits: &str| digits.parse().ok().map(Position);
        if let Some(seen) = token.strip_prefix(ONE_POSITION) {
            return Some(Self { of_others: position(seen)?, named: Vec::new() });
        }
        let mut parts = token.strip_prefix(FORM)?.split('.');
        let mut session = Self { of_others: position(parts.next()?)?, named: Vec::new() };
        for part in parts {
            let (name, seen) = part.split_once('=')?;
            let name = Identifier::new(name).ok()?;
            if session.named.len() == MAX_NAMED || session.named.iter().any(|(named, _)| *named == name) {
                return None;
            }
            session.named.push((name, position(seen)?));
        }
        Some(session)
    }

    /// The position that the next answer of a projection must hold. `None` if it may be any.
    pub(super) fn seen(&self, projection: &Identifier) -> Option<Position> {
        let named = self.named.iter().find(|(name, _)| name == projection);
        let seen = named.map_or(self.of_others, |(_, seen)| *seen);
        (seen > Position(0)).then_some(seen)
    }

    /// The session after an answer of a projection and a position.
    pub(super) fn after(&self, projection: &Identifier, answered: Position) -> Self {
        let seen = self.seen(projection).unwrap_or_default().max(answered);
        let others = self.named.iter().filter(|(name, _)| name != projection).cloned();
        let mut named: Vec<_> = [(projection.clone(), seen)].into_iter().chain(others).collect();
        let left_out = named.split_off(named.len().min(MAX_NAMED)).into_iter().map(|(_, seen)| seen);
        Self { of_others: left_out.fold(self.of_others, Position::max), named }
    }

    /// The header of an answer.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut token = format!("{FORM}{}", self.of_others);
        for (name, seen) in &self.named {
            // Writing to a text cannot fail.
            let _ = write!(token, ".{name}={seen}");
        }
        HeaderValue::try_from(token).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Identifier {
        Identifier::new(name).unwrap()
    }

    fn sent_back(session: &Session) -> Session {
        Session::of(&HeaderMap::from_iter([(SESSION, session.header().unwrap())])).unwrap()
    }

    #[test]
    fn a_session_remembers_the_newest_position_of_each_projection() {
        let (bank, shop) = (name("bank"), name("shop"));
        let session = Session::of(&HeaderMap::new()).unwrap();
        assert_eq!((session.seen(&bank), session.seen(&shop)), (None, None));
        let session = session.after(&bank, Position(7)).after(&bank, Position(3)).after(&shop, Position(5));
        assert_eq!(session.header().unwrap(), "s2-0.shop=5.bank=7");
        let session = sent_back(&session);
        assert_eq!((session.seen(&bank), session.seen(&shop)), (Some(Position(7)), Some(Position(5))));
        assert_eq!(session.seen(&name("other")), None);
    }

    #[test]
    fn what_was_seen_of_projections_that_are_too_many_holds_for_all_that_are_not_named() {
        let mut session = Session::default();
        let all: Vec<_> = (0..20).map(|number| name(&format!("{}{number:02}", "p".repeat(61)))).collect();
        for (number, projection) in (1_000_000_000_000_000_000..).zip(&all) {
            session = session.after(projection, Position(number));
        }
        assert!(session.header().unwrap().len() < 1_400);
        session = sent_back(&session);
        let fourth = Some(Position(1_000_000_000_000_000_003));
        assert_eq!(
            (session.seen(&all[0]), session.seen(&all[3]), session.seen(&name("other"))),
            (fourth, fourth, fourth)
        );
        assert_eq!(session.seen(&all[4]), Some(Position(1_000_000_000_000_000_004)));
    }

    #[test]
    fn the_token_of_an_older_host_holds_for_all_projections() {
        let headers = HeaderMap::from_iter([(SESSION, HeaderValue::from_static("s1-7"))]);
        let session = Session::of(&headers).unwrap();
        assert_eq!(session.seen(&name("bank")), Some(Position(7)));
        let session = sent_back(&session.after(&name("bank"), Position(9)));
        assert_eq!((session.seen(&name("bank")), session.seen(&name("shop"))), (Some(Position(9)), Some(Position(7))));
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let many = format!("s2-0{}", (0..=MAX_NAMED).map(|number| format!(".p{number}=1")).collect::<String>());
        let refused = ["", "7", "s1-", "s1-x", "s1--1", "s3-7", "s1-99999999999999999999", "s2-", "s2-0.", "s2-0.bank"];
        let named = ["s2-0.bank=", "s2-0.=7", "s2-0.bank=7.bank=8", "s2-0.Bank=7", "s2-x.bank=7", "s2-0..bank=7"];
        for value in refused.into_iter().chain(named).chain([many.as_str()]) {
            let headers = HeaderMap::from_iter([(SESSION, HeaderValue::from_str(value).unwrap())]);
            assert!(Session::of(&headers).is_err(), "{value}");
        }
    }
}
