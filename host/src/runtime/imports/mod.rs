//! What modules may import: a file for each interface, with its state in an instance and the functions that it provides.
//!
//! An import does not know the type of an instance. The [world](super::worlds) that offers the import passes a function that
//! borrows its state from a [`Guest`](super::worlds::guest::Guest).

pub(super) mod cursor;
pub(super) mod import;
pub(super) mod log;
pub(super) mod read_model;
