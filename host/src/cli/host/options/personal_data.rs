//! Where the keys of personal data are.

use std::fmt;

use clap::Args;

use crate::personal_data::{KeysAt, StartPersonalDataError};

/// Where the keys of personal data are.
#[derive(Args, Clone)]
pub(super) struct PersonalDataOptions {
    /// Where the keys of personal data are: postgres://user:password@host:port/database, another one than that of the log, which the hosts of a log share; or file:
    /// and a folder, for one host alone. See docs/personal-data.md
    #[arg(long, env = "GNOMON_PERSONAL_DATA_KEYS", hide_env_values = true, value_name = "STORE",
        value_parser = |text: &str| text.parse::<KeysAt>().map_err(reason))]
    personal_data_keys: Option<KeysAt>,
}

/// The name of the option stands before it.
fn reason(error: StartPersonalDataError) -> String {
    match error {
        StartPersonalDataError::NotAStore(reason) => reason,
        other => other.to_string(),
    }
}

impl PersonalDataOptions {
    pub(super) fn keys(&self) -> Option<KeysAt> {
        self.personal_data_keys.clone()
    }
}

impl fmt::Debug for PersonalDataOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL has a password in it.
        f.debug_struct("PersonalDataOptions").finish_non_exhaustive()
    }
}
