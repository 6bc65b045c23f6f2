//! What a JWT says of who has it.
//!
//! The claims are checked here and not by `jsonwebtoken`: it reads no times where serde_json keeps every digit of a number, as events need it, and it
//! asks the clock of the system, so that no test could stand at the ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{refusal::JwtRefusal, scopes_claim, settings::JwtSettings};
use crate::access::{grant::Grants, subject::Subject};

/// The claims of a JWT.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Claims(Map<String, Value>);

/// Who has a JWT whose claims are good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) subject: Subject,
    pub(super) grants: Grants,
    /// For how long it is still taken.
    pub(super) left: Duration,
}

impl Claims {
    /// Whether it is of this issuer, to the letter.
    pub(super) fn check_issuer(&self, settings: &JwtSettings) -> Result<(), JwtRefusal> {
        if self.text("iss")? == settings.issuer.as_str() { Ok(()) } else { Err(JwtRefusal::Issuer) }
    }

    /// Checks all of them at a time.
    pub(super) fn check(&self, settings: &JwtSettings, now: SystemTime) -> Result<Holder, JwtRefusal> {
        self.check_issuer(settings)?;
        let is_for = |name: &Value| name.as_str().is_some_and(|name| settings.audiences.iter().any(|of| of == name));
        let is_for_us = match self.0.get("aud") {
            Some(name @ Value::String(_)) => is_for(name),
            Some(Value::Array(names)) => names.iter().any(is_for),
            _ => return Err(JwtRefusal::Claim("aud")),
        };
        if !is_for_us {
            return Err(JwtRefusal::Audience);
        }
        // Before 1970 nothing had expired that exists.
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let skew = settings.clock_skew.as_secs_f64();
        let left = self.time("exp")?.ok_or(JwtRefusal::Claim("exp"))? + skew - now;
        if left <= 0.0 {
            return Err(JwtRefusal::Expired);
        }
        if self.time("nbf")?.is_some_and(|begins| now < begins - skew) {
            return Err(JwtRefusal::NotYetValid);
        }
        let subject = match self.text("sub")? {
            "" => return Err(JwtRefusal::Claim("sub")),
            name => Subject::of(name),
        };
        let grants = scopes_claim::grants(&self.0, &settings.scopes_claim);
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
        Ok(Holder { subject, grants, left })
    }

    fn text(&self, name: &'static str) -> Result<&str, JwtRefusal> {
        self.0.get(name).and_then(Value::as_str).ok_or(JwtRefusal::Claim(name))
    }

    /// Seconds since 1970, perhaps with a fraction.
    fn time(&self, name: &'static str) -> Result<Option<f64>, JwtRefusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| seconds.is_finite());
        seconds.map(Some).ok_or(JwtRefusal::Claim(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::access::{IssuerUrl, KeySource};

    const NOW: u64 = 1_700_000_000;

    fn settings() -> JwtSettings {
        JwtSettings {
            issuer: IssuerUrl::of_issuer("https://login.example/").unwrap(),
            audiences: vec!["gnomon".to_owned(), "events".to_owned()],
            keys: KeySource::Discovery,
            scopes_claim: JwtSettings::SCOPES_CLAIM.to_owned(),
            clock_skew: Duration::from_secs(60),
            ca_file: None,
        }
    }

    /// Good claims, some of which are replaced, or left out (`null`).
    fn check(changes: Value) -> Result<Holder, JwtRefusal> {
        let mut claims = json!({
            "iss": "https://login.example/", "aud": "gnomon", "sub": "ada", "exp": NOW + 10, "scope": "append=order",
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
                value => claims[name] = value.clone(),
            }
        }
        let claims: Claims = serde_json::from_str(&claims.to_string()).unwrap();
        claims.check(&settings(), UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[test]
    fn good_claims_say_who_it_is() {
        let Holder { subject, grants, left } = check(json!({})).unwrap();
        assert_eq!(
            (subject.to_string(), grants.texts(), left.as_secs()),
            ("ada".to_owned(), vec!["append=order".to_owned()], 70)
        );
        // Without scopes it is still known who it is.
        assert!(check(json!({"scope": null})).unwrap().grants.texts().is_empty());
    }

    #[test]
    fn a_jwt_is_of_one_issuer_to_the_letter() {
        for other in ["https://login.example", "https://LOGIN.example/", "https://login.example/a", ""] {
            assert_eq!(check(json!({"iss": other})), Err(JwtRefusal::Issuer), "{other}");
        }
        for other in [json!(null), json!(["https://login.example/"]), json!(1)] {
            assert_eq!(check(json!({ "iss": other })), Err(JwtRefusal::Claim("iss")));
        }
    }

    #[test]
    fn a_jwt_is_for_one_of_the_names_of_the_host() {
        for good in [json!("events"), json!(["other", "gnomon"])] {
            assert!(check(json!({ "aud": good })).is_ok());
        }
        for other in [json!("Gnomon"), json!(""), json!([]), json!(["other"]), json!([["gnomon"]])] {
            assert_eq!(check(json!({ "aud": other })), Err(JwtRefusal::Audience));
        }
        for other in [json!(null), json!(1), json!({"gnomon": 1})] {
            assert_eq!(check(json!({ "aud": other })), Err(JwtRefusal::Claim("aud")));
        }
    }

    #[test]
    fn times_are_exact_at_their_ends_with_the_skew() {
        assert_eq!(check(json!({"exp": NOW - 60})), Err(JwtRefusal::Expired));
        assert_eq!(check(json!({"exp": NOW - 59})).unwrap().left, Duration::from_secs(1));
        assert_eq!(check(json!({"exp": NOW as f64 - 59.5})).unwrap().left, Duration::from_millis(500));
        assert!(check(json!({"nbf": NOW + 60})).is_ok());
        assert_eq!(check(json!({"nbf": NOW + 61})), Err(JwtRefusal::NotYetValid));
        for other in [json!(null), json!("1700000010"), json!([]), json!({})] {
            assert_eq!(check(json!({ "exp": other })), Err(JwtRefusal::Claim("exp")), "{other}");
        }
        assert_eq!(check(json!({"nbf": "soon"})), Err(JwtRefusal::Claim("nbf")));
        assert_eq!(check(json!({"exp": -1})), Err(JwtRefusal::Expired));
        // Far away is a time as well.
        assert!(check(json!({"exp": 1e300})).is_ok());
    }

    #[test]
    fn somebody_has_a_jwt() {
        for other in [json!(null), json!(""), json!(7), json!(["ada"])] {
            assert_eq!(check(json!({ "sub": other })), Err(JwtRefusal::Claim("sub")));
        }
    }
}
