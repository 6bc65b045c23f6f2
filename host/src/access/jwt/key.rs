//! A key of an issuer, and what it is for.

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde_json::Value;

/// The bytes of the modulus of an RSA key: 2048 to 8192 bits. Shorter ones are broken sooner or later, and ring takes no longer ones.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// A key of an issuer.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// One of them, if the issuer says which.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Why a key of a set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unused {
    #[error("it is not as RFC 7517 has it")]
    Malformed,
    #[error("it is not for signatures (`use`, `key_ops`)")]
    Purpose,
    #[error("it is a secret that both sides would know (`kty` is `oct`)")]
    Secret,
    #[error("it is of a kind or a curve that hosts do not take: they take RSA, P-256, P-384 and Ed25519")]
    Kind,
    #[error("its parts have not the size that they have to have; an RSA key has 2048 to 8192 bits")]
    Size,
    #[error("it is for an algorithm that hosts do not take, or that is not one of its kind (`alg`)")]
    Algorithm,
}

impl Key {
    /// Reads a key of a set.
    pub(super) fn read(json: Value) -> Result<Self, Unused> {
        let jwk: Jwk = serde_json::from_value(json).map_err(|_| Unused::Malformed)?;
        let common = &jwk.common;
        let for_signatures = common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !for_signatures {
            return Err(Unused::Purpose);
        }
        let of_kind: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P256 => &[Algorithm::ES256],
            AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P384 => &[Algorithm::ES384],
            AlgorithmParameters::OctetKeyPair(of) if of.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            AlgorithmParameters::OctetKey(_) => return Err(Unused::Secret),
            _ => return Err(Unused::Kind),
        };
        let algorithms: Vec<Algorithm> = match common.key_algorithm {
            None => of_kind.to_vec(),
            Some(named) => of_kind.iter().copied().filter(|of| KeyAlgorithm::from(*of) == named).collect(),
        };
        if algorithms.is_empty() {
            return Err(Unused::Algorithm);
        }
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| Unused::Malformed)?;
        let has_its_size = match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => {
                let zeros = n.iter().take_while(|byte| **byte == 0).count();
                RSA_MODULUS_BYTES.contains(&(n.len() - zeros))
            }
            // A point is written as one byte and two coordinates.
            DecodingKeyKind::SecretOrDer(bytes) => match of_kind {
                [Algorithm::ES256] => bytes.len() == 65,
                [Algorithm::ES384] => bytes.len() == 97,
                _ => bytes.len() == 32,
            },
        };
        if has_its_size { Ok(Self { id: jwk.common.key_id, algorithms, key }) } else { Err(Unused::Size) }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    pub(super) fn decoding_key(&self) -> &DecodingKey {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn p256(more: &[(&str, Value)]) -> Value {
        let mut key = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "one"});
        for (name, value) in more {
            key[name] = value.clone();
        }
        key
    }

    fn rsa(bytes: usize) -> Value {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(vec![0xc5; bytes]), "e": "AQAB"})
    }

    fn unused(key: Value) -> Unused {
        Key::read(key).unwrap_err()
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_kind_or_for_the_one_that_it_names() {
        let key = Key::read(p256(&[])).unwrap();
        assert!(key.id() == Some("one") && key.algorithms == [Algorithm::ES256]);
        let mut one = rsa(256);
        assert_eq!(Key::read(one.clone()).unwrap().algorithms, RSA);
        one["alg"] = json!("PS256");
        assert_eq!(Key::read(one.clone()).unwrap().algorithms, [Algorithm::PS256]);
        one["alg"] = json!("RSA-OAEP");
        assert_eq!(unused(one), Unused::Algorithm);
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert_eq!(Key::read(ed).unwrap().algorithms, [Algorithm::EdDSA]);
        // What issuers add is no matter.
        Key::read(p256(&[("x5c", json!(["MIIC"])), ("iat", json!(1)), ("use", json!("sig")), ("ext", json!(true))]))
            .unwrap();
    }

    #[test]
    fn other_keys_are_not_used() {
        assert_eq!(unused(p256(&[("use", json!("enc"))])), Unused::Purpose);
        assert_eq!(unused(p256(&[("key_ops", json!(["sign"]))])), Unused::Purpose);
        assert_eq!(unused(p256(&[("alg", json!("ES384"))])), Unused::Algorithm);
        assert_eq!(unused(p256(&[("alg", json!("HS256"))])), Unused::Algorithm);
        assert_eq!(unused(p256(&[("crv", json!("P-521"))])), Unused::Kind);
        assert_eq!(unused(p256(&[("crv", json!("secp256k1"))])), Unused::Kind);
        assert_eq!(unused(p256(&[("crv", json!("P-384"))])), Unused::Size);
        assert_eq!(unused(p256(&[("x", json!("AA"))])), Unused::Size);
        assert_eq!(unused(p256(&[("x", json!("+/"))])), Unused::Malformed);
        assert_eq!(unused(json!({"kty": "oct", "k": "AAAA"})), Unused::Secret);
        assert_eq!(unused(json!({"kty": "OKP", "crv": "X25519", "x": X})), Unused::Kind);
        for bytes in [128, 255, 1025] {
            assert_eq!(unused(rsa(bytes)), Unused::Size, "{bytes}");
        }
        assert_eq!(unused(json!([])), Unused::Malformed);
    }
}
