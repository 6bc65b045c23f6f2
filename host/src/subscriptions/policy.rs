//! What happens at an event that a module cannot handle.

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
    pub(crate) fn from_sql(text: &str) -> Result<Self, sqlx::Error> {
        match text {
            "halt" => Ok(Self::Halt),
            "skip" => Ok(Self::Skip),
            "park" => Ok(Self::Park),
            other => Err(sqlx::Error::Decode(format!("`{other}` is not a failure policy").into())),
        }
    }

    /// As users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Skip => "skip",
            Self::Park => "park",
        }
    }
}
