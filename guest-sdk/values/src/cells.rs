//! The sizes of the cells of rows, keys and searches.
//!
//! The size of a cell is the bytes of its text, its decimal digits, its JSON, its bytes or the elements of its array; it is 0 for
//! types whose values all have the same size.

use std::{error::Error, fmt};

use crate::limits::MAX_INDEX_BYTES;

/// Bytes that `max_row_bytes` counts for a cell beside its size.
const CELL_BYTES: usize = 8;

/// Bytes that a text within an array takes beside its own.
const ELEMENT_BYTES: usize = 24;

/// Bytes of the host's memory that a cell takes beside its size.
const CELL_MEMORY_BYTES: usize = 32;

/// The bytes of a row, as `max_row_bytes` counts them.
pub fn row_bytes(sizes: impl IntoIterator<Item = usize>) -> usize {
    sizes.into_iter().map(|size| size + CELL_BYTES).sum()
}

/// The bytes that cells take of the host's memory, as `max_read_bytes` and `max_batch_write_bytes` count them.
pub fn memory_bytes(sizes: impl IntoIterator<Item = usize>) -> usize {
    sizes.into_iter().map(|size| size + CELL_MEMORY_BYTES).sum()
}

/// The size of a cell that is an array of texts, by the bytes of each.
pub fn text_array_bytes(sizes: impl IntoIterator<Item = usize>) -> usize {
    sizes.into_iter().map(|size| size + ELEMENT_BYTES).sum()
}

/// The size of a cell that is an array of so many numbers.
#[must_use]
pub const fn number_array_bytes(numbers: usize) -> usize {
    numbers * 8
}

/// The size of a cell that is an array of so many UUIDs.
#[must_use]
pub const fn uuid_array_bytes(uuids: usize) -> usize {
    uuids * 16
}

/// Checks the values of a key or of an index of a row, by their sizes.
///
/// # Errors
/// They have more bytes than an index of Postgres can hold.
pub fn check_index(columns: IndexedColumns<'_>, sizes: impl IntoIterator<Item = usize>) -> Result<(), IndexBytesError> {
    let bytes = sizes.into_iter().sum();
    if bytes <= MAX_INDEX_BYTES { Ok(()) } else { Err(IndexBytesError { columns: columns.to_string(), bytes }) }
}

/// Checks the texts of an array in an index, by their sizes: each is an entry of its own.
///
/// # Errors
/// One has more bytes than an index of Postgres can hold.
pub fn check_elements(
    columns: IndexedColumns<'_>,
    sizes: impl IntoIterator<Item = usize>,
) -> Result<(), IndexBytesError> {
    sizes.into_iter().try_for_each(|size| check_index(columns, [size]))
}

/// Checks a text.
///
/// # Errors
/// It contains NUL.
pub fn check_text(text: &str) -> Result<(), NulError> {
    if text.contains('\0') { Err(NulError) } else { Ok(()) }
}

/// What names columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexedColumns<'a> {
    /// The key of a table.
    Key,
    /// The index of this name.
    Index(&'a str),
    /// The reference to the table of this name.
    Reference(&'a str),
}

impl fmt::Display for IndexedColumns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key"),
            Self::Index(name) => write!(f, "index `{name}`"),
            Self::Reference(table) => write!(f, "the reference to `{table}`"),
        }
    }
}

/// The values are larger than an entry of an index can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexBytesError {
    columns: String,
    bytes: usize,
}

impl fmt::Display for IndexBytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { columns, bytes } = self;
        write!(
            f,
            "the values of {columns} have {bytes} bytes; an index holds at most {MAX_INDEX_BYTES} (put a digest there instead)"
        )
    }
}

impl Error for IndexBytesError {}

/// The text contains NUL, which Postgres cannot store.
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
    fn the_values_of_an_index_have_at_most_the_limit_of_bytes() {
        assert_eq!(check_index(IndexedColumns::Key, [MAX_INDEX_BYTES, 0]), Ok(()));
        let error =
            check_index(IndexedColumns::Index("by_name"), [MAX_INDEX_BYTES, 1]).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("the values of index `by_name` have 2401 bytes; an index holds at most 2400 (put a digest there instead)"
                .to_owned())
        );
    }

    #[test]
    fn each_cell_counts_more_than_its_size() {
        assert_eq!((row_bytes([0, 5]), memory_bytes([0, 5]), row_bytes([])), (21, 69, 0));
    }
}
