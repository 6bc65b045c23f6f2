//! What a JWT says of itself before its signature is looked at.

use std::str::FromStr as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde_json::{Map, Value};

use super::refusal::JwtRefusal;

/// The first part of a JWT.
#[derive(Debug)]
pub(in crate::access) struct Head(Map<String, Value>);

/// Which key has signed a JWT, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignedBy {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

/// Whether a text is a JWT, whoever may have made it: three parts of base64url, the first of which is a JSON object.
#[must_use]
pub fn is_jwt(text: &str) -> bool {
    Head::of(text).is_some()
}

impl Head {
    /// The head of a text, if it is a JWT.
    pub(in crate::access) fn of(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (head, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let is_base64 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        // Without a signature, it is one whose algorithm is `none`.
        if parts.next().is_some() || !is_base64(payload) || !is_base64(signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok().map(Self)
    }

    /// Which key has signed it, and how.
    pub(super) fn signed_by(&self) -> Result<SignedBy, JwtRefusal> {
        let Self(members) = self;
        if members.contains_key("crit") {
            return Err(JwtRefusal::Critical);
        }
        let algorithm = members.get("alg").and_then(Value::as_str).and_then(|name| Algorithm::from_str(name).ok());
        let algorithm = algorithm.filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac);
        let algorithm = algorithm.ok_or(JwtRefusal::Algorithm)?;
        let kid = match members.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(JwtRefusal::Malformed),
        };
        Ok(SignedBy { algorithm, kid })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed_by(head: &Value) -> Result<SignedBy, JwtRefusal> {
        Head::of(&format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(head.to_string()))).unwrap().signed_by()
    }

    #[test]
    fn a_jwt_has_three_parts_and_begins_with_an_object() {
        for text in ["e30.e30.AA", "e30..", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(is_jwt(text), "{text}");
        }
        for text in
            ["", "gnomon_abc", "e30", "e30.e30", "e30.e30.AA.AA", "e30.e30.A A", "e30.e=.AA", "W10.e30.AA", "e3.e30.AA"]
        {
            assert!(!is_jwt(text), "{text}");
        }
    }

    #[test]
    fn only_keys_that_need_no_shared_secret_sign() {
        for name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
            let algorithm = Algorithm::from_str(name).unwrap();
            assert_eq!(
                signed_by(&json!({"alg": name, "kid": "a"})),
                Ok(SignedBy { algorithm, kid: Some("a".to_owned()) })
            );
        }
        for head in [json!({}), json!({"alg": 1}), json!({"alg": null})] {
            assert_eq!(signed_by(&head), Err(JwtRefusal::Algorithm));
        }
        for name in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "ES512", "ES256K", "rs256"] {
            assert_eq!(signed_by(&json!({"alg": name})), Err(JwtRefusal::Algorithm), "{name}");
        }
    }

    #[test]
    fn what_has_to_be_understood_is_refused() {
        for critical in [json!(["b64"]), json!([]), json!(null)] {
            assert_eq!(signed_by(&json!({"alg": "ES256", "crit": critical})), Err(JwtRefusal::Critical));
        }
        assert_eq!(signed_by(&json!({"alg": "ES256", "kid": 1})), Err(JwtRefusal::Malformed));
    }
}
