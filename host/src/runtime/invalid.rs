//! Why a component cannot be loaded as a module.

use super::printable::printable;

/// Why a component cannot be loaded as a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotLoad {
    /// It is not a module.
    #[error(transparent)]
    Invalid(#[from] InvalidModule),
    /// This host cannot load it now; it may be a module. Not its fault.
    #[error("{0}")]
    Host(String),
}

impl From<Vec<String>> for CannotLoad {
    fn from(reasons: Vec<String>) -> Self {
        Self::Invalid(reasons.into())
    }
}

impl From<String> for CannotLoad {
    fn from(reason: String) -> Self {
        Self::Invalid(reason.into())
    }
}

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
