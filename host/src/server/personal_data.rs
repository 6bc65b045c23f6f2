//! Waits for the store of the keys of personal data.

use std::time::Duration;

use tokio::time::Instant;

use super::settings::ServerSettings;
use crate::{
    personal_data::{KeyStoreError, PersonalData, StartPersonalDataError},
    postgres::{Backoff, Database, is_transient},
};

/// Opens the store of the keys. Like Postgres, it may not be there yet.
pub(super) async fn start_personal_data(
    database: &Database,
    settings: &ServerSettings,
) -> Result<PersonalData, StartPersonalDataError> {
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let began = Instant::now();
    loop {
        let started = PersonalData::start(database.lookups.clone(), settings.personal_data_keys.as_ref()).await;
        let passes = match &started {
            Err(
                StartPersonalDataError::Store(KeyStoreError::Postgres(error)) | StartPersonalDataError::Postgres(error),
            ) => is_transient(error),
            _ => false,
        };
        if !passes || began.elapsed() >= settings.connect_timeout {
            return started;
        }
        tokio::time::sleep(backoff.next_pause()).await;
    }
}
