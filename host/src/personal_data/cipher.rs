//! The key of a subject: how a value is encrypted with it, and decrypted.
//!
//! AES-256-GCM, with what the value belongs to as associated data: the event, its stream and the place in its data. So a value is read where it was
//! written, and nowhere else. The nonce is made of the value and the place by a key of its own (HMAC-SHA256, its first 96 bits). It is as good as a random
//! one, and the same value at the same place of the same event is encrypted to the same text: so a repeated append is known for one by comparing texts,
//! without any key, under the lock of the log. Since the event's id is part of the place, no two events tell that they have the same value.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    hmac::{Context, HMAC_SHA256, Key as NonceKey},
};
use uuid::Uuid;

/// Bytes of a key, as it is kept.
pub(super) const KEY_BYTES: usize = 32;
/// Values that may be encrypted with one key: then the chance that two of them have one nonce is still below 2^-32 (NIST SP 800-38D, 8.3). It is more than any
/// log has of a person.
pub const MAX_SEALED_PER_KEY: u64 = 1 << 32;

const SALT: &[u8] = b"gnomon personal data 1";
const FOR_VALUES: &[&[u8]] = &[b"values"];
const FOR_NONCES: &[&[u8]] = &[b"nonces"];

/// The key of a subject.
pub(super) struct SubjectKey {
    id: Uuid,
    values: LessSafeKey,
    nonces: NonceKey,
}

/// What a value belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) event: Uuid,
    pub(super) stream: &'p str,
    /// Where it is in the data of the event, as a JSON Pointer.
    pub(super) pointer: &'p str,
}

/// A key cannot be used, or a value is not what was encrypted with it at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

impl From<ring::error::Unspecified> for Damaged {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SubjectKey {
    /// The key that is kept as these bytes.
    pub(super) fn new(id: Uuid, bytes: &[u8]) -> Result<Self, Damaged> {
        if bytes.len() != KEY_BYTES {
            return Err(Damaged);
        }
        let secret = Salt::new(HKDF_SHA256, SALT).extract(bytes);
        let values = LessSafeKey::new(UnboundKey::from(secret.expand(FOR_VALUES, &AES_256_GCM)?));
        let nonces = NonceKey::from(secret.expand(FOR_NONCES, HMAC_SHA256)?);
        Ok(Self { id, values, nonces })
    }

    /// Its id.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Encrypts a value: its nonce, and behind it what only the key can read.
    pub(super) fn seal(&self, place: Place<'_>, value: &str) -> Result<Vec<u8>, Damaged> {
        let associated = place.bytes();
        let mut made_of = Context::with_key(&self.nonces);
        made_of.update(&associated);
        made_of.update(value.as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&made_of.sign().as_ref()[..NONCE_LEN]);
        let mut sealed = value.as_bytes().to_vec();
        let (use_once, associated) = (Nonce::assume_unique_for_key(nonce), Aad::from(associated));
        self.values.seal_in_place_append_tag(use_once, associated, &mut sealed)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Decrypts a value.
    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, Damaged> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Damaged)?;
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.values.open_in_place(nonce, Aad::from(place.bytes()), &mut opened)?.len();
        opened.truncate(length);
        String::from_utf8(opened).map_err(|_| Damaged)
    }
}

impl Place<'_> {
    /// No two places have the same: the only part without a length of its own is the last.
    fn bytes(&self) -> Vec<u8> {
        let Self { event, stream, pointer } = self;
        let length = u64::try_from(stream.len()).unwrap_or(u64::MAX).to_be_bytes();
        [SALT, event.as_bytes(), &length, stream.as_bytes(), &pointer_length(pointer), pointer.as_bytes()].concat()
    }
}

/// The value follows the place where a nonce is made of both.
fn pointer_length(pointer: &str) -> [u8; 8] {
    u64::try_from(pointer.len()).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(of: u8) -> SubjectKey {
        SubjectKey::new(Uuid::from_u128(of.into()), &[of; KEY_BYTES]).unwrap()
    }

    fn place<'p>(event: u128, stream: &'p str, pointer: &'p str) -> Place<'p> {
        Place { event: Uuid::from_u128(event), stream, pointer }
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_at_its_place_only(value in ".{0,200}", event: u128, stream in ".{1,20}", pointer in "/.{0,20}") {
            let here = place(event, &stream, &pointer);
            let sealed = key(1).seal(here, &value).unwrap();
            prop_assert_eq!(sealed.len(), NONCE_LEN + value.len() + 16);
            prop_assert_eq!(key(1).open(here, &sealed), Ok(value.clone()));
            // The same once more, and nothing else is the same.
            prop_assert_eq!(key(1).seal(here, &value).unwrap(), sealed.clone());
            prop_assert_eq!(key(2).open(here, &sealed), Err(Damaged));
            let (other_stream, other_pointer) = (format!("{stream}-"), format!("{pointer}/"));
            for there in [
                place(event.wrapping_add(1), &stream, &pointer),
                place(event, &other_stream, &pointer),
                place(event, &stream, &other_pointer),
            ] {
                prop_assert_eq!(key(1).open(there, &sealed), Err(Damaged));
                prop_assert_ne!(&key(1).seal(there, &value).unwrap()[..NONCE_LEN], &sealed[..NONCE_LEN]);
            }
        }

        #[test]
        fn a_changed_bit_is_found(value in ".{1,50}", bit: prop::sample::Index) {
            let here = place(1, "a-1", "/name");
            let mut sealed = key(1).seal(here, &value).unwrap();
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key(1).open(here, &sealed), Err(Damaged));
        }
    }

    #[test]
    fn a_key_has_its_length_and_shows_nothing_of_itself() {
        assert!(SubjectKey::new(Uuid::nil(), &[7; KEY_BYTES - 1]).is_err());
        assert_eq!(key(1).open(place(1, "a", "/b"), b"short"), Err(Damaged));
        assert_eq!(format!("{:?}", key(1)), "SubjectKey { id: 00000000-0000-0000-0000-000000000001, .. }");
    }

    /// What was written once has to be read for ever.
    #[test]
    fn the_form_stays_what_it_is() {
        let sealed = key(1).seal(place(7, "customer-1", "/name"), "\"Ada\"").unwrap();
        assert_eq!(hex(&sealed), "479f9c5a644a98b41390ce6306fa69be6b09d0959a7337ff1174fe279455d88573");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
