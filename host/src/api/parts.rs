//! Reading objects whose members depend on a tag among them.

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

/// An object that is read in parts, each part from the whole text: serde's own `flatten` and tagged enums read no numbers with a
/// fraction, and no text as it is written.
pub(super) struct Parts(Box<RawValue>);

impl Parts {
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Self)
    }

    pub(super) fn part<T: DeserializeOwned, E: Error>(&self) -> Result<T, E> {
        serde_json::from_str(self.0.get()).map_err(E::custom)
    }
}
