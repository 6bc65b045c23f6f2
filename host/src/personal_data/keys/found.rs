//! What a store says of an id.

use std::sync::Arc;

use crate::personal_data::cipher::SubjectKey;

/// What a store says of the id of a key that it knows.
#[derive(Clone, Debug)]
pub(in crate::personal_data) enum FoundKey {
    /// The key.
    Key(Arc<SubjectKey>),
    /// It is destroyed: its subject is forgotten.
    Destroyed,
}
