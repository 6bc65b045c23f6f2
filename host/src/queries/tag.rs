//! What tells answers apart.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{cache::request_parts, contents::Contents, request::ReadRequest};

/// The bytes of a tag: of the digest that it is made of, enough that no two answers have the same.
const BYTES: usize = 16;

/// A tag of an answer: another request, or other rows, give another one. It is made of the [contents](Contents) of the build and of the whole request,
/// not of the answer; so whether somebody has the answer already can be known before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerTag([u8; BYTES]);

impl AnswerTag {
    /// The tag of the answer to a request from these contents.
    pub(super) fn of(contents: Contents, request: &ReadRequest<'_>) -> Self {
        let mut digest = Sha256::new_with_prefix(contents.0.as_bytes());
        // Who has the rows has their number.
        let request = ReadRequest { without_rows: false, ..*request };
        request_parts(&request, |part| digest.update(part));
        let mut tag = [0; BYTES];
        tag.copy_from_slice(&digest.finalize()[..BYTES]);
        Self(tag)
    }
}

impl fmt::Display for AnswerTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{queries::limits::ReadLimits, read_model::Identifier};

    #[test]
    fn contents_and_request_make_the_tag() {
        let (projection, limits) = (Identifier::new("p").unwrap(), ReadLimits::default());
        let (request, other) =
            (ReadRequest::new(&projection, "t", "", &limits), ReadRequest::new(&projection, "t", "id=eq.1", &limits));
        let (one, two) = (Contents(Uuid::from_u128(1)), Contents(Uuid::from_u128(2)));
        let tag = AnswerTag::of(one, &request);
        assert_eq!(tag, AnswerTag::of(one, &request));
        assert_ne!(tag, AnswerTag::of(two, &request));
        assert_ne!(tag, AnswerTag::of(one, &other));
        assert_eq!(tag, AnswerTag::of(one, &ReadRequest { without_rows: true, ..request }));
        assert!(tag.to_string().len() == 32 && tag.to_string().bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    }
}
