//! The failure policy: what happens at an event that a module cannot handle.

use crate::postgres::sql_text;

/// What happens at an event that a module cannot handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The build stops there.
    #[default]
    Halt,
    /// The event is set aside.
    Skip,
    /// The event is set aside, and all later ones of its stream wait behind it.
    Park,
}

impl OnFailure {
    /// The word that users write: `halt`, `skip` or `park`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Skip => "skip",
            Self::Park => "park",
        }
    }
}

impl TryFrom<String> for OnFailure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "halt" => Ok(Self::Halt),
            "skip" => Ok(Self::Skip),
            "park" => Ok(Self::Park),
            other => Err(format!("`{other}` is not a failure policy")),
        }
    }
}

sql_text!(OnFailure);
