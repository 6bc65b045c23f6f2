//! By what the snapshots of a logic are known.

/// The digest of the code that made rows of events: of a projection and of its upcasters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::past) struct Lineage(pub(in crate::past) [u8; 32]);
