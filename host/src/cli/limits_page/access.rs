//! Limits of tokens, and of JWTs.

use super::limit::{
    ErrorLocation::{Code, Nowhere},
    Limit::{Fixed, Option as By},
    Row, Unit,
    Unit::{Bytes, Number, Seconds},
};
use crate::access::{
    CACHE_TTL, FETCH_TIMEOUT, LEAST_PAUSE, LONGEST_WITHOUT_ISSUER, MAX_ADDRESSES, MAX_CLOCK_SKEW,
    MAX_FAILED_PER_SECOND, MAX_GRANTS, MAX_ISSUER_ANSWER_BYTES, MAX_ISSUER_KEYS, MAX_JWT_BYTES, MAX_PATTERNS,
    MAX_SUBJECT_CHARS, MAX_TOKENS, REFRESH_EVERY,
};

const NONE: Unit = Number("");

pub(super) const ACCESS: &[Row] = &[
    ("tokens that are not revoked", Fixed(MAX_TOKENS, NONE), Code("too_many_tokens")),
    ("scopes of a token", Fixed(MAX_GRANTS, NONE), Code("invalid_body")),
    ("patterns of names of a scope", Fixed(MAX_PATTERNS, NONE), Code("invalid_body")),
    ("for which a host knows a token without another look", Fixed(CACHE_TTL.as_secs() as usize, Seconds), Nowhere),
    ("addresses whose tries are counted", Fixed(MAX_ADDRESSES, NONE), Nowhere),
    (
        "unknown tokens from one address that are looked up in 1 s",
        Fixed(MAX_FAILED_PER_SECOND as usize, NONE),
        Code("too_many_tries"),
    ),
    ("a JWT", Fixed(MAX_JWT_BYTES, Bytes), Code("unauthenticated")),
    ("apart that the clocks of a host and its issuer may be", By("jwt-clock-skew", Seconds), Code("unauthenticated")),
    ("the same, at most", Fixed(MAX_CLOCK_SKEW.as_secs() as usize, Seconds), Nowhere),
    ("keys of an issuer of JWTs", Fixed(MAX_ISSUER_KEYS, NONE), Nowhere),
    ("an answer of the issuer, or a file of keys", Fixed(MAX_ISSUER_ANSWER_BYTES, Bytes), Nowhere),
    ("until the issuer has answered with its keys", Fixed(FETCH_TIMEOUT.as_secs() as usize, Seconds), Nowhere),
    ("from one question for its keys to the next", Fixed(REFRESH_EVERY.as_secs() as usize, Seconds), Nowhere),
    (
        "the same, at least, where JWTs name keys that are not known",
        Fixed(LEAST_PAUSE.as_secs() as usize, Seconds),
        Nowhere,
    ),
    (
        "for which the last keys of an issuer hold that cannot be reached",
        Fixed(LONGEST_WITHOUT_ISSUER.as_secs() as usize, Seconds),
        Code("issuer_keys_unavailable"),
    ),
    ("characters of the name in a JWT that are kept in logs and histories", Fixed(MAX_SUBJECT_CHARS, NONE), Nowhere),
];
