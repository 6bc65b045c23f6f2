//! Reading objects of which one type has only some of the members.

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

/// The text of an object. Several types read their members from it, each from the whole text: serde's own `flatten` and tagged
/// enums cannot read numbers with a fraction, nor JSON as it is written.
pub(super) struct RawObject(Box<RawValue>);

impl RawObject {
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Self)
    }

    /// Reads the members that `T` has; the others are ignored.
    pub(super) fn members<T: DeserializeOwned, E: Error>(&self) -> Result<T, E> {
        serde_json::from_str(self.0.get()).map_err(E::custom)
    }
}
