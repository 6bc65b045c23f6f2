//! Why a component is not a module.

use crate::runtime::printable::printable;

/// Why a component is not a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a module: {}", reasons.join("; "))]
pub struct InvalidModule {
    /// Everything that is wrong with it.
    pub reasons: Vec<String>,
}

/// Reasons that are kept: a component can be made to have millions of them.
const MAX_REASONS: usize = 100;
/// Bytes of a reason that are kept: it may quote names from the component.
const MAX_REASON_BYTES: usize = 1000;

impl From<Vec<String>> for InvalidModule {
    fn from(mut reasons: Vec<String>) -> Self {
        let more = reasons.len().saturating_sub(MAX_REASONS);
        reasons.truncate(MAX_REASONS);
        reasons.iter_mut().for_each(|reason| *reason = printable(reason, MAX_REASON_BYTES));
        if more > 0 {
            reasons.push(format!("and {more} more reasons"));
        }
        Self { reasons }
    }
}

impl From<String> for InvalidModule {
    fn from(reason: String) -> Self {
        Self::from(vec![reason])
    }
}
