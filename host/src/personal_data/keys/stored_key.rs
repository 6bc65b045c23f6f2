//! A key as a store has it.

use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;

use crate::personal_data::{
    cipher::{KEY_BYTES, SubjectKey},
    error::KeyStoreError,
};

/// A key as a store has it.
#[derive(Clone)]
pub(super) struct StoredKey {
    pub(super) id: Uuid,
    pub(super) bytes: Vec<u8>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl StoredKey {
    /// Makes one. Its id is random, so that it tells nothing of the subject, nor when it was made.
    pub(super) fn make() -> Result<Self, KeyStoreError> {
        let mut bytes = vec![0; KEY_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| KeyStoreError::NoRandomness)?;
        Ok(Self { id: Uuid::new_v4(), bytes })
    }

    pub(super) fn into_key(self) -> Result<SubjectKey, KeyStoreError> {
        SubjectKey::new(self.id, &self.bytes).map_err(|_| KeyStoreError::DamagedKey(self.id))
    }
}
