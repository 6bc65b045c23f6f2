//! The signals that are sent to collectors.

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Traces,
}

impl Signal {
    /// The word for people, and in measures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
        }
    }

    /// What one of it is, in the plural.
    pub(super) fn items(self) -> &'static str {
        match self {
            Self::Logs => "log records",
            Self::Traces => "spans",
        }
    }

    /// How the names of its variables say it.
    pub(super) fn in_names(self) -> &'static str {
        match self {
            Self::Logs => "LOGS",
            Self::Traces => "TRACES",
        }
    }

    /// The variable that says how many may wait.
    pub(super) fn queue_variable(self) -> &'static str {
        match self {
            Self::Logs => "OTEL_BLRP_MAX_QUEUE_SIZE",
            Self::Traces => "OTEL_BSP_MAX_QUEUE_SIZE",
        }
    }
}
