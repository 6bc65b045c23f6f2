//! Checking a size against a limit.

use std::{borrow::Cow, error::Error, fmt};

/// Something is larger than its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// What is too large: `bytes of a row`.
    pub what: Cow<'static, str>,
    /// The name of the limit: `max_row_bytes`.
    pub limit: &'static str,
    /// How large it is.
    pub found: usize,
    /// How large it may be.
    pub max: usize,
}

impl LimitError {
    /// Names the owner of what is too large: with `line 3`, `bytes of the type` becomes `bytes of the type of line 3`.
    #[must_use]
    pub fn of(mut self, owner: impl fmt::Display) -> Self {
        self.what = format!("{} of {owner}", self.what).into();
        self
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, limit, found, max } = self;
        write!(f, "{what}: {found}; the limit {limit} is {max}")
    }
}

impl Error for LimitError {}

/// Checks a size against a limit.
///
/// # Errors
/// It is larger.
pub fn check(what: &'static str, limit: &'static str, found: usize, max: usize) -> Result<(), LimitError> {
    if found <= max { Ok(()) } else { Err(LimitError { what: what.into(), limit, found, max }) }
}

/// Checks the bytes of one row; see [`row_bytes`](crate::cells::row_bytes).
///
/// # Errors
/// There are too many.
pub fn check_row(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of a row", "max_row_bytes", bytes, max)
}

/// Checks the bytes of the rows that a batch changes; see [`memory_bytes`](crate::cells::memory_bytes).
///
/// # Errors
/// There are too many.
pub fn check_batch_write(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of the rows of one batch", "max_batch_write_bytes", bytes, max)
}

/// Checks how many rows one `find` returns. The error names at most one too many: the host stops counting there.
///
/// # Errors
/// There are too many.
pub fn check_find_rows(rows: usize, max: usize) -> Result<(), LimitError> {
    check("rows of one find", "max_find_rows", rows.min(max.saturating_add(1)), max)
}

/// Checks how many keys one `get-many` has.
///
/// # Errors
/// There are too many.
pub fn check_get_keys(keys: usize, max: usize) -> Result<(), LimitError> {
    check("keys of one get-many", "max_get_keys", keys, max)
}

/// Checks the bytes of the rows that one call returns; see [`memory_bytes`](crate::cells::memory_bytes).
///
/// # Errors
/// There are too many.
pub fn check_read(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of the rows that one call returns", "max_read_bytes", bytes, max)
}

/// Checks how many rows one batch asked for.
///
/// # Errors
/// There are too many.
pub fn check_batch_reads(reads: usize, max: usize) -> Result<(), LimitError> {
    check("rows that one batch asked for", "max_batch_reads", reads, max)
}

/// Checks the effects of one event; see [`count`](crate::effects::count).
///
/// # Errors
/// There are too many.
pub fn check_effects(effects: usize, max: usize) -> Result<(), LimitError> {
    check("effects of one event", "max_effects", effects, max)
}

/// Checks the bytes of the effects of one batch; see [`Effect::bytes`](crate::effects::Effect::bytes).
///
/// # Errors
/// There are too many.
pub fn check_batch_effects(bytes: usize, max: usize) -> Result<(), LimitError> {
    check("bytes of the effects of one batch", "max_batch_effect_bytes", bytes, max)
}
