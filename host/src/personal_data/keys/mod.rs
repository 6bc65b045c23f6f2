//! The keys of subjects, in a store apart from the log.
//!
//! A key that is destroyed leaves its id behind. So a value whose subject is forgotten is told from one whose key is not known, since the store is the wrong one.

mod cached;
mod found;
mod in_folder;
mod in_postgres;
mod stored_key;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::time::Instant;
use uuid::Uuid;

pub use self::cached::MAX_CACHED_KEYS;
pub(super) use self::found::FoundKey;
use self::{cached::Cached, in_folder::InFolder, in_postgres::InPostgres};
use super::{
    cipher::SubjectKey,
    error::{KeyStoreError, StartPersonalDataError},
};

/// How long the store may take to answer.
pub const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// Where keys are kept.
#[derive(Clone)]
pub enum KeysAt {
    /// In a database, which hosts share.
    Postgres(Box<PgConnectOptions>),
    /// In a folder, which one host has.
    Folder(PathBuf),
}

impl std::fmt::Debug for KeysAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // It has a password.
            Self::Postgres(_) => f.write_str("Postgres(…)"),
            Self::Folder(folder) => f.debug_tuple("Folder").field(folder).finish(),
        }
    }
}

impl std::str::FromStr for KeysAt {
    type Err = StartPersonalDataError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("file:") {
            Some("") => Err(StartPersonalDataError::NotAStore("behind `file:` stands no folder".to_owned())),
            Some(folder) => Ok(Self::Folder(folder.into())),
            None => crate::postgres::parse_url(text)
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|error| StartPersonalDataError::NotAStore(error.to_string())),
        }
    }
}

/// The keys of subjects.
#[derive(Debug)]
pub(super) struct Keys {
    store: Store,
    cached: Cached,
}

#[derive(Debug)]
enum Store {
    Postgres(InPostgres),
    Folder(InFolder),
}

impl Keys {
    /// Opens a store, and makes it if it is not there.
    pub(super) async fn open(at: &KeysAt) -> Result<Self, StartPersonalDataError> {
        let store = match at {
            KeysAt::Postgres(options) => Store::Postgres(InPostgres::open((**options).clone()).await?),
            KeysAt::Folder(folder) => Store::Folder(InFolder::open(folder.clone()).await?),
        };
        Ok(Self { store, cached: Cached::default() })
    }

    /// The key of each subject. One that has none gets one, which is durable when this returns.
    pub(super) async fn of_subjects(
        &self,
        subjects: HashSet<String>,
    ) -> Result<HashMap<String, Arc<SubjectKey>>, KeyStoreError> {
        // From before the look: what is destroyed from now on may have been found all the same.
        let now = Instant::now();
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for subject in subjects {
            match self.cached.of_subject(&subject, now) {
                Some(key) => drop(found.insert(subject, key)),
                None => missing.push(subject),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        // In one order on all hosts, or two that make keys for the same subjects would wait for each other.
        missing.sort_unstable();
        let looked_up = within_timeout(async {
            match &self.store {
                Store::Postgres(store) => store.of_subjects(&missing).await,
                Store::Folder(store) => store.of_subjects(missing).await,
            }
        });
        for (subject, key) in looked_up.await? {
            let key = Arc::new(key.into_key()?);
            self.cached.keep_subject(&subject, Arc::clone(&key), now);
            found.insert(subject, key);
        }
        Ok(found)
    }

    /// The keys of these ids. Those that the store does not know are not among them.
    pub(super) async fn of_ids(&self, ids: HashSet<Uuid>) -> Result<HashMap<Uuid, FoundKey>, KeyStoreError> {
        let now = Instant::now();
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for id in ids {
            match self.cached.of_id(id, now) {
                Some(key) => drop(found.insert(id, key)),
                None => missing.push(id),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let looked_up = within_timeout(async {
            match &self.store {
                Store::Postgres(store) => store.of_ids(&missing).await,
                Store::Folder(store) => store.of_ids(missing).await,
            }
        });
        for (id, stored) in looked_up.await? {
            let key = match stored {
                Some(stored) => FoundKey::Key(Arc::new(stored.into_key()?)),
                None => FoundKey::Destroyed,
            };
            self.cached.keep_id(id, key.clone(), now);
            found.insert(id, key);
        }
        Ok(found)
    }

    /// The ids of the keys that a subject has now, which are not destroyed.
    pub(super) async fn ids_of(&self, subject: &str) -> Result<Vec<Uuid>, KeyStoreError> {
        within_timeout(async {
            match &self.store {
                Store::Postgres(store) => store.ids_of(subject).await,
                Store::Folder(store) => store.ids_of(subject.to_owned()).await,
            }
        })
        .await
    }

    /// Destroys keys. When it returns, they are nowhere in the store; hosts know them for [`PERSONAL_DATA_TTL`](super::ttl::PERSONAL_DATA_TTL) longer, at most.
    pub(super) async fn destroy(&self, ids: Vec<Uuid>) -> Result<(), KeyStoreError> {
        within_timeout(async {
            match &self.store {
                Store::Postgres(store) => store.destroy(&ids).await,
                Store::Folder(store) => store.destroy(ids).await,
            }
        })
        .await?;
        self.cached.forget();
        Ok(())
    }
}

async fn within_timeout<T>(work: impl Future<Output = Result<T, KeyStoreError>>) -> Result<T, KeyStoreError> {
    match tokio::time::timeout(KEYS_TIMEOUT, work).await {
        Ok(done) => done,
        Err(_) => Err(KeyStoreError::TimedOut(KEYS_TIMEOUT.as_secs())),
    }
}

#[cfg(test)]
mod tests;
