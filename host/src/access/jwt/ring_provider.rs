//! ring's verification of signatures, lent to `jsonwebtoken`.
//!
//! It signs nothing, and takes no algorithm with a secret that both sides know: what the issuer publishes must not make a token. That is decided here, by
//! the kind of the key, whatever the callers ask for.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::{Error, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    // Only for making keys and thumbprints of them, which nobody does here.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Lends it, once in a process.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    // No other part of this program lends one.
    INSTALLED.call_once(|| _ = PROVIDER.install_default());
}

/// A signature of one algorithm by one key.
struct RingVerifier {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Rsa { parameters: &'static RsaParameters, modulus: Vec<u8>, exponent: Vec<u8> },
    Point { algorithm: &'static dyn VerificationAlgorithm, bytes: Vec<u8> },
}

/// The verifier of an algorithm, if the key is of its kind.
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let key = match (key.family(), key.kind()) {
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let parameters = match algorithm {
                Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
                Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
                Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
                Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
                Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
                Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
                _ => return Err(ErrorKind::InvalidAlgorithm.into()),
            };
            Key::Rsa { parameters, modulus: without_zeros(n), exponent: without_zeros(e) }
        }
        (family, DecodingKeyKind::SecretOrDer(bytes)) => {
            let algorithm: &'static dyn VerificationAlgorithm = match (family, algorithm) {
                (AlgorithmFamily::Ec, Algorithm::ES256) => &ECDSA_P256_SHA256_FIXED,
                (AlgorithmFamily::Ec, Algorithm::ES384) => &ECDSA_P384_SHA384_FIXED,
                (AlgorithmFamily::Ed, Algorithm::EdDSA) => &ED25519,
                _ => return Err(ErrorKind::InvalidAlgorithm.into()),
            };
            Key::Point { algorithm, bytes: bytes.clone() }
        }
        _ => return Err(ErrorKind::InvalidKeyFormat.into()),
    };
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key }))
}

/// A number without the zeros that some issuers write before it, and ring refuses.
fn without_zeros(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match &self.key {
            Key::Rsa { parameters, modulus, exponent } => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature)
            }
            Key::Point { algorithm, bytes } => UnparsedPublicKey::new(*algorithm, bytes).verify(message, signature),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
#[path = "ring_provider_tests.rs"]
mod tests;
