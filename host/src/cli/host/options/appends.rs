//! How long appends wait for Postgres.

use clap::Args;

use super::{events::EventOptions, seconds::Seconds};
use crate::event_log::EventLogSettings;

/// How long appends wait for Postgres.
#[derive(Args, Clone, Debug)]
pub(super) struct AppendOptions {
    /// Seconds for which an append waits for a Postgres that does not answer, or for the lock of the log
    #[arg(long, env = "GNOMON_APPEND_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(EventLogSettings::default().append_timeout), value_parser = Seconds::between(0.1, 3600.0))]
    append_timeout: Seconds,

    /// Seconds that Postgres may take to answer one try of an append; then another connection is tried
    #[arg(long, env = "GNOMON_ANSWER_TIMEOUT", value_name = "SECONDS",
        default_value_t = Seconds(EventLogSettings::default().answer_timeout), value_parser = Seconds::between(0.1, 3600.0))]
    answer_timeout: Seconds,

    /// Seconds for which a host that stands still, since it is frozen or cut off, may hold the lock of the log; then another host that waits
    /// ends its session
    #[arg(long, env = "GNOMON_END_STUCK_AFTER", value_name = "SECONDS",
        default_value_t = Seconds(EventLogSettings::default().end_stuck_after), value_parser = Seconds::between(0.5, 3600.0))]
    end_stuck_after: Seconds,
}

impl AppendOptions {
    pub(super) fn settings(&self, events: &EventOptions) -> EventLogSettings {
        EventLogSettings {
            limits: events.limits(),
            append_timeout: self.append_timeout.0,
            answer_timeout: self.answer_timeout.0,
            end_stuck_after: self.end_stuck_after.0,
            ..EventLogSettings::default()
        }
    }
}
