//! An answer as it is stored where others may write as well.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    kept::{KeptAnswer, MAX_KEPT_ANSWER_BYTES},
    key::RequestKey,
};
use crate::{queries::contents::Contents, read_model::query::MAX_CURSOR_BYTES};

/// The form of keys and values. Another form gets another number.
const FORM: u8 = 2;
/// The bytes of a digest.
const DIGEST: usize = 32;
/// What stands before cursor and text: form, digest, rows, offset, whether there is a total, the total, and the bytes of the cursor of the next
/// page. A cursor is never empty.
const HEAD: usize = 1 + DIGEST + 8 + 8 + 1 + 8 + 8;
/// The bytes of the largest value.
pub(super) const MAX_VALUE_BYTES: usize = HEAD + MAX_CURSOR_BYTES + MAX_KEPT_ANSWER_BYTES;

/// What a stored answer answers, and from which rows of which log.
#[derive(Debug)]
pub(in crate::queries) struct StoredKey<'k> {
    /// The id of the log, so that several Gnomons can share a store.
    pub(in crate::queries) log: Uuid,
    /// The rows.
    pub(in crate::queries) contents: Contents,
    /// The request.
    pub(in crate::queries) request: &'k RequestKey,
}

impl StoredKey<'_> {
    /// The name under which the answer is stored.
    pub(super) fn name(&self) -> String {
        let (log, contents) = (self.log.simple(), self.contents.0.simple());
        let request: String =
            Sha256::digest(self.request.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("gnomon:answer:{FORM}:{log}:{contents}:{request}")
    }

    /// The value that is stored.
    pub(super) fn seal(&self, answer: &KeptAnswer) -> Vec<u8> {
        let next = answer.next.as_deref().unwrap_or_default();
        let mut value = Vec::with_capacity(HEAD + next.len() + answer.text.len());
        value.push(FORM);
        value.extend_from_slice(&[0; DIGEST]);
        value.extend_from_slice(&answer.rows.to_be_bytes());
        value.extend_from_slice(&answer.offset.to_be_bytes());
        value.push(u8::from(answer.total.is_some()));
        value.extend_from_slice(&answer.total.unwrap_or_default().to_be_bytes());
        value.extend_from_slice(&(next.len() as u64).to_be_bytes());
        value.extend_from_slice(next.as_bytes());
        value.extend_from_slice(&answer.text);
        let digest = self.digest(&value);
        value[1..=DIGEST].copy_from_slice(&digest);
        value
    }

    /// The answer of a value, or `None` if it is not one to this key, whole and unchanged.
    pub(super) fn open(&self, value: Vec<u8>) -> Option<KeptAnswer> {
        if value.len() < HEAD || value.len() > MAX_VALUE_BYTES || value[0] != FORM {
            return None;
        }
        if value[1..=DIGEST] != self.digest(&value) {
            return None;
        }
        let number = |at: usize| Some(u64::from_be_bytes(value.get(at..at + 8)?.try_into().ok()?));
        let at = 1 + DIGEST;
        let (rows, offset) = (number(at)?, number(at + 8)?);
        let total = if value[at + 16] == 1 { Some(number(at + 17)?) } else { None };
        let text = HEAD.checked_add(usize::try_from(number(at + 25)?).ok()?)?;
        let next = std::str::from_utf8(value.get(HEAD..text)?).ok()?;
        let next = (!next.is_empty()).then(|| next.to_owned());
        Some(KeptAnswer { contents: self.contents, rows, offset, total, next, text: Bytes::from(value).slice(text..) })
    }

    /// The digest of the whole key and of what follows the digest in a value.
    fn digest(&self, value: &[u8]) -> [u8; DIGEST] {
        let request = self.request.as_bytes();
        let mut digest = Sha256::new();
        digest.update([FORM]);
        digest.update(self.log.as_bytes());
        digest.update(self.contents.0.as_bytes());
        digest.update((request.len() as u64).to_be_bytes());
        digest.update(request);
        digest.update(&value[1 + DIGEST..]);
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        queries::{limits::ReadLimits, request::ReadRequest},
        read_model::{Identifier, query::Shape},
    };

    fn request(query: &str) -> RequestKey {
        let request = ReadRequest {
            projection: &Identifier::new("p").unwrap(),
            table: "t",
            query,
            shape: Shape::Object,
            exact_count: true,
            limits: &ReadLimits::default(),
        };
        RequestKey::of(&request).unwrap()
    }

    #[test]
    fn a_value_is_read_as_it_was_written_and_only_under_its_key() {
        let (request, other) = (request("a"), request("b"));
        let (log, contents) = (Uuid::from_u128(1), Contents(Uuid::from_u128(2)));
        let key = StoredKey { log, contents, request: &request };
        let others = [
            StoredKey { log: Uuid::from_u128(3), contents, request: &request },
            StoredKey { log, contents: Contents(Uuid::from_u128(4)), request: &request },
            StoredKey { log, contents, request: &other },
        ];
        for (total, next, text) in
            [(None, None, ""), (Some(0), Some("eyJ2"), "[]"), (Some(u64::MAX), None, "[{\"id\":1}]")]
        {
            let next = next.map(str::to_owned);
            let answer = KeptAnswer { contents, rows: 7, offset: 3, total, next, text: Bytes::from(text) };
            let value = key.seal(&answer);
            assert_eq!(key.open(value.clone()), Some(answer));
            for other in &others {
                assert_ne!(other.name(), key.name());
                assert_eq!(other.open(value.clone()), None);
            }
        }
        assert!(key.name().starts_with("gnomon:answer:2:00000000000000000000000000000001:"), "{}", key.name());
    }

    #[test]
    fn a_value_that_was_changed_is_not_read() {
        let (request, contents) = (request("a"), Contents(Uuid::from_u128(2)));
        let key = StoredKey { log: Uuid::from_u128(1), contents, request: &request };
        let text = Bytes::from_static(b"[{\"id\":1}]");
        let next = Some("eyJ2IjoxfQ".to_owned());
        let value = key.seal(&KeptAnswer { contents, rows: 1, offset: 0, total: Some(1), next, text });
        for at in 0..value.len() {
            for bit in 0..8 {
                let mut changed = value.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(key.open(changed), None, "bit {bit} of byte {at}");
            }
            assert_eq!(key.open(value[..at].to_vec()), None, "{at} bytes");
        }
        assert_eq!(key.open([&value[..], b" "].concat()), None);
        assert_eq!(key.open(vec![FORM; MAX_VALUE_BYTES + 1]), None);
    }
}
