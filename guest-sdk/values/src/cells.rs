//! The cells of rows, keys and searches, by their sizes.
//!
//! The size of a cell is the bytes of its text, its decimal digits, its JSON or its bytes; it is 0 for what always takes the
//! same room.

use std::{error::Error, fmt};

use crate::limits::MAX_INDEX_BYTES;

/// What a cell of a row counts beside its size.
const CELL_BYTES: usize = 8;

/// What a cell takes of the host's memory beside its size.
const CELL_MEMORY_BYTES: usize = 32;

/// The bytes of a row, as `max_row_bytes` counts them.
pub fn row_bytes(sizes: impl IntoIterator<Item = usize>) -> usize {
    sizes.into_iter().map(|size| size + CELL_BYTES).sum()
}

/// The bytes that cells take of the host's memory, as `max_read_bytes` and `max_batch_write_bytes` count them.
pub fn memory_bytes(sizes: impl IntoIterator<Item = usize>) -> usize {
    sizes.into_iter().map(|size| size + CELL_MEMORY_BYTES).sum()
}

/// Checks the values of a key or of an index of a row, by their sizes.
///
/// # Errors
/// They have more bytes than an index of Postgres can hold.
pub fn check_index(place: Place<'_>, sizes: impl IntoIterator<Item = usize>) -> Result<(), IndexBytesError> {
    let bytes = sizes.into_iter().sum();
    if bytes <= MAX_INDEX_BYTES { Ok(()) } else { Err(IndexBytesError { place: place.to_string(), bytes }) }
}

/// Checks a text.
///
/// # Errors
/// It contains NUL.
pub fn check_text(text: &str) -> Result<(), NulError> {
    if text.contains('\0') { Err(NulError) } else { Ok(()) }
}

/// What holds values in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The key of a table.
    Key,
    /// The index of this name.
    Index(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key"),
            Self::Index(name) => write!(f, "index `{name}`"),
        }
    }
}

/// Values that no index of Postgres can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexBytesError {
    place: String,
    bytes: usize,
}

impl fmt::Display for IndexBytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, bytes } = self;
        write!(
            f,
            "the values of {place} have {bytes} bytes; an index holds at most {MAX_INDEX_BYTES} (put a digest there instead)"
        )
    }
}

impl Error for IndexBytesError {}

/// Text that Postgres cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NulError;

impl fmt::Display for NulError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text contains NUL (\\0), which Postgres cannot hold")
    }
}

impl Error for NulError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_holds_so_many_bytes_and_not_one_more() {
        assert_eq!(check_index(Place::Key, [MAX_INDEX_BYTES, 0]), Ok(()));
        let error = check_index(Place::Index("by_name"), [MAX_INDEX_BYTES, 1]).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("the values of index `by_name` have 2401 bytes; an index holds at most 2400 (put a digest there instead)"
                .to_owned())
        );
    }

    #[test]
    fn cells_count_beside_what_they_hold() {
        assert_eq!((row_bytes([0, 5]), memory_bytes([0, 5]), row_bytes([])), (21, 69, 0));
    }
}
