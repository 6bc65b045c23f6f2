//! What modules may import: a file for each interface, with its state for an instance and the answers to its calls.
//!
//! An import does not know whose state it is a part of; a [world](super::worlds) that gives it to its modules says where in their
//! [`Guest`](super::worlds::guest::Guest) it is.

pub(super) mod cursor;
pub(super) mod import;
pub(super) mod log;
pub(super) mod read_model;
