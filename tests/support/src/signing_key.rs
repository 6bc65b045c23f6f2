//! The keys of an issuer of JWTs, made when tests run, and what it signs with them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};

/// A key of an issuer.
#[derive(Debug)]
pub struct SigningKey {
    kid: &'static str,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
}

impl SigningKey {
    /// A new one, for EdDSA.
    ///
    /// # Panics
    /// If no key can be made.
    #[must_use]
    pub fn ed(kid: &'static str) -> Self {
        let made =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap_or_else(|error| panic!("no key: {error}"));
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap_or_else(|error| panic!("no key: {error}"));
        Self { kid, pair: Pair::Ed(pair) }
    }

    /// A new one, for ES256.
    ///
    /// # Panics
    /// If no key can be made.
    #[must_use]
    pub fn ec(kid: &'static str) -> Self {
        let (random, of) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(of, &random).unwrap_or_else(|error| panic!("no key: {error}"));
        let pair =
            EcdsaKeyPair::from_pkcs8(of, made.as_ref(), &random).unwrap_or_else(|error| panic!("no key: {error}"));
        Self { kid, pair: Pair::Ec(pair) }
    }

    /// What the issuer publishes of it.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ed(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "alg": "EdDSA", "x": encoded(pair.public_key().as_ref()),
            }),
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": encoded(x), "y": encoded(y)})
            }
        }
    }

    /// A JWT with these claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let algorithm = match self.pair {
            Pair::Ed(_) => "EdDSA",
            Pair::Ec(_) => "ES256",
        };
        self.sign_under(&json!({"typ": "at+jwt", "alg": algorithm, "kid": self.kid}), claims)
    }

    /// A JWT with this head, whatever it says.
    ///
    /// # Panics
    /// If nothing can be signed.
    #[must_use]
    pub fn sign_under(&self, head: &Value, claims: &Value) -> String {
        let signed = unsigned_jwt(head, claims);
        let signature = match &self.pair {
            Pair::Ed(pair) => encoded(pair.sign(signed.as_bytes()).as_ref()),
            Pair::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                encoded(signature.unwrap_or_else(|error| panic!("no signature: {error}")).as_ref())
            }
        };
        format!("{signed}.{signature}")
    }
}

/// What is signed of a JWT.
#[must_use]
pub fn unsigned_jwt(head: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(head.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
