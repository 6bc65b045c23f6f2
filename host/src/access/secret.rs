//! What a client sends: `gnomon_` and 48 characters.
//!
//! The prefix is what programs look for that search repositories and logs for secrets. The characters are 256 random bits, and four bytes
//! by which a text that was never a token is told from one without asking Postgres.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::refusal::Refusal;

/// What every token begins with.
pub const TOKEN_PREFIX: &str = "gnomon_";
const RANDOM_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;

/// A token as a client has it. It is shown once, when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The hash of a token, by which it is found.
pub(super) type Hash = [u8; 32];

impl Secret {
    /// A new token. Three random UUIDs have 366 bits of the system's randomness; their hash has 256 of them.
    pub(super) fn make() -> Self {
        let mut random = Sha256::new();
        for _ in 0..3 {
            random.update(Uuid::new_v4().as_bytes());
        }
        Self::of(&random.finalize().into())
    }

    fn of(random: &[u8; RANDOM_BYTES]) -> Self {
        let bytes = [&random[..], &check(random)].concat();
        Self(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token; `None` if there was never one like this.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(TOKEN_PREFIX)?).ok()?;
        let (random, found) = bytes.split_at_checked(RANDOM_BYTES)?;
        (found == check(random)).then(|| Self(text.to_owned()))
    }

    pub(super) fn hash(&self) -> Hash {
        Sha256::digest(&self.0).into()
    }

    /// The token itself, to be shown to who has asked for it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Looks at the form of a token only, as it is done before it is looked up.
///
/// # Errors
/// It has never been a token.
pub fn check_form(token: &str) -> Result<(), Refusal> {
    Secret::read(token).map(drop).ok_or(Refusal::Malformed)
}

fn check(random: &[u8]) -> [u8; CHECK_BYTES] {
    let digest: Hash = Sha256::digest(random).into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Nothing of it: what is printed for people who look for an error must not tell it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_no_other_text_is_one() {
        let secret = Secret::make();
        let text = secret.reveal();
        assert_eq!((text.len(), &text[..7]), (55, "gnomon_"));
        assert_eq!(Secret::read(text), Some(secret.clone()));
        assert_ne!(Secret::make(), secret);
        let swapped = format!("{}{}", &text[..54], if text.ends_with('A') { 'B' } else { 'A' });
        for other in
            ["", "gnomon_", "gnomon_x", &text[..54], &text[7..], &swapped, &format!("{text}A"), &text.to_uppercase()]
        {
            assert_eq!(Secret::read(other), None, "{other}");
        }
    }

    #[test]
    fn debug_tells_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::of(&[7; 32])), "Secret(…)");
    }
}
