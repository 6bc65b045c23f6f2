//! Which rows a build has.

use uuid::Uuid;

/// Which rows the tables of a build have: the column `contents` of its subscription. Each commit that may change rows gives another one, which is
/// random and so never given twice, also not after a restore. Hence equal ones mean equal rows, in whatever snapshot they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents(pub(super) Uuid);
