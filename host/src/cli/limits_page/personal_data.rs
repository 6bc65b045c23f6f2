//! Limits of personal data.

use super::limit::{
    ErrorLocation::{Code, Nowhere},
    Limit::Fixed,
    Row,
    Unit::{Bytes, Number, Seconds},
};
use crate::personal_data::{
    KEYS_TIMEOUT, MAX_CACHED_KEYS, MAX_DECLARED_TYPES, MAX_PERSONAL_FIELDS, MAX_POINTER_BYTES, MAX_REPLACEMENT_BYTES,
    MAX_SEALED_PER_KEY, MAX_SUBJECT_BYTES, MAX_SUBJECTS_OF_TYPE, PERSONAL_DATA_TTL,
};

pub(super) const PERSONAL_DATA: &[Row] = &[
    (
        "types of events that have personal fields, or had",
        Fixed(MAX_DECLARED_TYPES, Number("")),
        Code("limit_exceeded"),
    ),
    ("personal fields of a type", Fixed(MAX_PERSONAL_FIELDS, Number("")), Code("invalid_body")),
    ("entries of a declaration, each of one subject", Fixed(MAX_SUBJECTS_OF_TYPE, Number("")), Code("invalid_body")),
    ("a JSON Pointer", Fixed(MAX_POINTER_BYTES, Bytes), Code("invalid_body")),
    ("what readers see of a forgotten field", Fixed(MAX_REPLACEMENT_BYTES, Bytes), Code("invalid_body")),
    ("name of a subject", Fixed(MAX_SUBJECT_BYTES, Bytes), Code("invalid_personal_data")),
    (
        "for which a host knows a key, or what is declared, without another look",
        Fixed(PERSONAL_DATA_TTL.as_secs() as usize, Seconds),
        Nowhere,
    ),
    ("keys that a host knows at the same time", Fixed(MAX_CACHED_KEYS, Number("")), Nowhere),
    ("until the store of keys has answered", Fixed(KEYS_TIMEOUT.as_secs() as usize, Seconds), Code("keys_unavailable")),
    (
        "values that may be encrypted with the key of one subject",
        Fixed(MAX_SEALED_PER_KEY as usize, Number("")),
        Nowhere,
    ),
];
