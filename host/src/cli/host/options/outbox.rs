//! How messages of reactors are delivered.

use std::path::PathBuf;

use clap::Args;

use super::{range::between, seconds::Seconds};
use crate::outbox::OutboxSettings;

/// How messages of reactors are delivered.
#[derive(Args, Clone, Debug)]
pub(super) struct OutboxOptions {
    /// The folder in which secrets of sinks may be, as files; without it, the host reads none from files
    #[arg(long, env = "GNOMON_SECRETS_DIR", value_name = "FOLDER")]
    secrets_dir: Option<PathBuf>,

    /// Seconds from the first try of a message to the second; each pause after that is twice as long, and up to half of it is left out at random
    #[arg(long, env = "GNOMON_FIRST_RETRY_PAUSE", value_name = "SECONDS",
        default_value_t = Seconds(OutboxSettings::default().first_retry_pause), value_parser = Seconds::between(0.01, 3600.0))]
    first_retry_pause: Seconds,

    /// Seconds between two tries of a message, at most
    #[arg(long, env = "GNOMON_LONGEST_RETRY_PAUSE", value_name = "SECONDS",
        default_value_t = Seconds(OutboxSettings::default().longest_retry_pause), value_parser = Seconds::between(0.01, 86_400.0))]
    longest_retry_pause: Seconds,

    /// Seconds for which messages are kept, to be looked at, that were delivered
    #[arg(long, env = "GNOMON_KEEP_DELIVERED", value_name = "SECONDS",
        default_value_t = Seconds(OutboxSettings::default().keep_delivered), value_parser = Seconds::between(0.0, 31_536_000.0))]
    keep_delivered: Seconds,

    /// Maximum bytes of the answer of an endpoint to a call
    #[arg(long, env = "GNOMON_MAX_CALL_ANSWER_BYTES", value_name = "BYTES",
        default_value_t = OutboxSettings::default().max_call_answer_bytes, value_parser = between::<usize>(0, 1 << 30))]
    max_call_answer_bytes: usize,
}

impl OutboxOptions {
    pub(super) fn settings(&self) -> OutboxSettings {
        OutboxSettings {
            secrets_dir: self.secrets_dir.clone(),
            first_retry_pause: self.first_retry_pause.0,
            longest_retry_pause: self.longest_retry_pause.0,
            keep_delivered: self.keep_delivered.0,
            max_call_answer_bytes: self.max_call_answer_bytes,
            ..OutboxSettings::default()
        }
    }
}
