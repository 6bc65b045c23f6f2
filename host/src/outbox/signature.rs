//! Signatures of webhooks, as Standard Webhooks (standardwebhooks.com) say.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::secret::Secret;

/// What each secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Secrets of a sink, at most: two are enough to change one for the other.
const MAX_SECRETS: usize = 4;

/// A secret is not one of Standard Webhooks. It is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret is not one for webhooks: it is `{PREFIX}` and the Base64 of 24 to 64 random bytes, or up to {MAX_SECRETS} of these with blanks \
     between; `printf 'whsec_%s' \"$(openssl rand -base64 32)\"` makes one"
)]
pub(super) struct SecretFormError;

/// The value of `webhook-signature`: a signature by each of the secrets, so that one can be changed while messages are under way.
pub(super) fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Result<String, SecretFormError> {
    let secrets: Vec<&str> = secret.reveal().split_whitespace().collect();
    if secrets.is_empty() || secrets.len() > MAX_SECRETS {
        return Err(SecretFormError);
    }
    let signatures: Result<Vec<String>, _> =
        secrets.iter().map(|secret| sign_by(secret, id, timestamp, body)).collect();
    Ok(signatures?.join(" "))
}

fn sign_by(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, SecretFormError> {
    let key = secret.strip_prefix(PREFIX).and_then(|key| BASE64_STANDARD.decode(key).ok()).ok_or(SecretFormError)?;
    if !SECRET_BYTES.contains(&key.len()) {
        return Err(SecretFormError);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| SecretFormError)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_signature_is_that_of_the_specification() {
        let sign = |secret: &str| {
            sign(&Secret::new(secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#)
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(SECRET).unwrap(), expected);
        let two = sign(&format!("{SECRET}\nwhsec_{}", BASE64_STANDARD.encode([7; 24]))).unwrap();
        assert!(two.starts_with(&format!("{expected} v1,")), "{two}");
    }

    #[test]
    fn what_is_not_a_secret_of_webhooks_is_refused_and_not_shown() {
        let short = format!("whsec_{}", BASE64_STANDARD.encode([7; 23]));
        for secret in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_!",
            &short,
            &format!("{SECRET} x"),
            &[SECRET; 5].join(" "),
        ] {
            let error = sign(&Secret::new(secret), "a", 0, b"").unwrap_err().to_string();
            assert!(!error.contains("MfKQ"), "{error}");
        }
    }
}
