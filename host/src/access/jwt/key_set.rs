//! The keys of an issuer (JWKS).

use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    head::SignedBy,
    key::{Key, Unused},
    refusal::JwtRefusal,
};

/// Keys of an issuer, at most.
pub const MAX_ISSUER_KEYS: usize = 100;

/// The keys of an issuer. Clones are handles on one.
#[derive(Clone, Debug)]
pub(super) struct KeySet {
    keys: Arc<[Key]>,
    /// Those that are not used, for the log.
    unused: Vec<Unused>,
    /// Of the text, by which it is seen whether a set has changed.
    hash: [u8; 32],
}

/// Why a text is not a set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("it is not a JSON object with a list `keys`, as RFC 7517 has it: {0}")]
    Malformed(String),
    #[error("it has {0} keys, and may have {MAX_ISSUER_KEYS}")]
    TooMany(usize),
}

/// What a set has for a signature.
#[derive(Debug)]
pub(super) enum Found<'s> {
    /// The key.
    Key(&'s DecodingKey),
    /// Nothing; the issuer may have a newer set.
    Nothing,
    /// What can be said of it now will not change with a newer set.
    Refused(JwtRefusal),
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. Keys that cannot be used are left out, as RFC 7517 demands: an issuer has others for others.
    pub(super) fn read(json: &[u8]) -> Result<Self, KeySetError> {
        let Written { keys: written } =
            serde_json::from_slice(json).map_err(|error| KeySetError::Malformed(error.to_string()))?;
        if written.len() > MAX_ISSUER_KEYS {
            return Err(KeySetError::TooMany(written.len()));
        }
        let (mut keys, mut unused) = (Vec::new(), Vec::new());
        for key in written {
            match Key::read(key) {
                Ok(key) => keys.push(key),
                Err(why) => unused.push(why),
            }
        }
        Ok(Self { keys: keys.into(), unused, hash: Sha256::digest(json).into() })
    }

    /// The key of a signature.
    pub(super) fn find(&self, signed_by: &SignedBy) -> Found<'_> {
        let SignedBy { algorithm, kid } = signed_by;
        let named = || self.keys.iter().filter(move |key| kid.is_none() || key.id() == kid.as_deref());
        let mut fitting = named().filter(|key| key.is_for(*algorithm));
        match (fitting.next(), fitting.next()) {
            (None, _) if kid.is_some() && named().next().is_some() => Found::Refused(JwtRefusal::OtherAlgorithm),
            (None, _) => Found::Nothing,
            (Some(_), Some(_)) if kid.is_none() => Found::Refused(JwtRefusal::NoKeyNamed),
            (Some(key), _) => Found::Key(key.decoding_key()),
        }
    }

    /// How many keys it has that can be used.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Why others are not used.
    pub(super) fn unused(&self) -> &[Unused] {
        &self.unused
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::*;

    fn ed(kid: Option<&str>) -> Value {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        if let Some(kid) = kid {
            key["kid"] = json!(kid);
        }
        key
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn found(set: &KeySet, algorithm: Algorithm, kid: Option<&str>) -> String {
        match set.find(&SignedBy { algorithm, kid: kid.map(str::to_owned) }) {
            Found::Key(_) => "key".to_owned(),
            Found::Nothing => "nothing".to_owned(),
            Found::Refused(refusal) => format!("{refusal:?}"),
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_or_if_it_is_the_only_one_of_its_kind() {
        let several = set(&[ed(Some("a")), ed(Some("b"))]);
        assert_eq!(found(&several, Algorithm::EdDSA, Some("b")), "key");
        assert_eq!(found(&several, Algorithm::EdDSA, Some("c")), "nothing");
        assert_eq!(found(&several, Algorithm::ES256, Some("a")), "OtherAlgorithm");
        assert_eq!(found(&several, Algorithm::EdDSA, None), "NoKeyNamed");
        assert_eq!(found(&several, Algorithm::ES256, None), "nothing");
        let one = set(&[ed(None)]);
        assert_eq!(found(&one, Algorithm::EdDSA, None), "key");
        assert_eq!(found(&one, Algorithm::EdDSA, Some("a")), "nothing");
        assert_eq!(found(&set(&[]), Algorithm::EdDSA, None), "nothing");
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out() {
        let set = set(&[json!({"kty": "oct", "k": "AAAA"}), json!({"kty": "new"}), json!(1), ed(Some("a"))]);
        assert_eq!((set.len(), set.unused()), (1, &[Unused::Secret, Unused::Kind, Unused::Malformed][..]));
    }

    #[test]
    fn what_is_not_a_set_is_refused() {
        for text in ["", "[]", "{}", "{\"keys\": 1}", "<html>"] {
            assert!(matches!(KeySet::read(text.as_bytes()), Err(KeySetError::Malformed(_))), "{text}");
        }
        let many = json!({"keys": vec![ed(None); MAX_ISSUER_KEYS + 1]}).to_string();
        assert_eq!(KeySet::read(many.as_bytes()).unwrap_err(), KeySetError::TooMany(101));
    }
}
