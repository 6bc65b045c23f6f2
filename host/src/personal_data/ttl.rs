//! How long a host goes by what it has looked up.

use std::time::Duration;

/// How long a key, and what is declared, is known without another look. So long after a key was destroyed, a host may still read with it, and so long after
/// fields were declared, a host may still append them as they are.
pub const PERSONAL_DATA_TTL: Duration = Duration::from_secs(5);
/// What is waited for beside that until no host goes by what was before: clocks and what is under way.
pub(super) const MARGIN: Duration = Duration::from_secs(1);
