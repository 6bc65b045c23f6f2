//! What can go wrong with personal data.

use gnomon_values::Instant;
use uuid::Uuid;

use super::sealed_text::SEALED_PREFIX;

/// Bytes of the name of a subject, at most.
pub const MAX_SUBJECT_BYTES: usize = 512;

/// Why an event with personal data is not appended. It can be, if it is changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The data does not say whose it is.
    #[error("its field `{field}` is personal, and `{subject}` does not say whose it is: {reason}")]
    NoSubject {
        /// The field.
        field: String,
        /// Where the subject should be.
        subject: String,
        /// What is there instead.
        reason: String,
    },
    /// The metadata does not say whose it is.
    #[error(
        "its field `{field}` is personal, and `subjects` of its metadata does not say whose it is: it has to be an array of exactly one text, as in \
         {{\"subjects\":[\"customer-7\"]}}"
    )]
    NoSubjectInMetadata {
        /// The field.
        field: String,
    },
    /// The metadata cannot have the mark of what is forgotten.
    #[error(
        "its field `{field}` is personal, and its metadata {reason}: the host notes in `forgotten` of the metadata which fields are forgotten"
    )]
    Metadata {
        /// The field.
        field: String,
        /// What it is.
        reason: &'static str,
    },
    /// A text looks like one that the host writes.
    #[error("`{0}` of its data begins with `{SEALED_PREFIX}`, as only what the host encrypts does")]
    LooksSealed(String),
}

/// Why personal data can be neither encrypted nor read now. Trying again later may help.
#[derive(Debug, thiserror::Error)]
pub enum PersonalDataError {
    /// This host has no keys.
    #[error(
        "events of the log have personal data, and this host has no keys to it; start it with --personal-data-keys \
         (GNOMON_PERSONAL_DATA_KEYS), as the hosts that encrypt it"
    )]
    NoKeys,
    /// The store has not the key of a value.
    #[error(
        "the store of keys does not know the key {key}, with which `{pointer}` of the event at position {position} is encrypted. It was not \
         forgotten, or the store would say so: the store (--personal-data-keys) is another one than that of this log, or was restored from a backup that \
         is older than the event"
    )]
    UnknownKey {
        /// The id of the key.
        key: Uuid,
        /// The place of the value.
        pointer: String,
        /// The position of the event.
        position: u64,
    },
    /// A value was changed, or moved from another place.
    #[error(
        "`{pointer}` of the event at position {position} is not what was encrypted there with the key {key}: the log was changed by other means than \
         Gnomon, or the store of keys has another key under this id"
    )]
    Damaged {
        /// The id of the key.
        key: Uuid,
        /// The place of the value.
        pointer: String,
        /// The position of the event.
        position: u64,
    },
    /// The data of an event cannot be read at all.
    #[error("the event at position {0} cannot be read: its data is not JSON")]
    NotJson(u64),
    /// The store cannot be used.
    #[error("the keys of personal data (--personal-data-keys) cannot be used: {0}")]
    Store(KeyStoreError),
    /// What is declared could not be looked up.
    #[error("what is declared as personal data cannot be looked up: {0}")]
    Postgres(sqlx::Error),
}

/// Why a store of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// It is another database.
    #[error("their database: {0}")]
    Postgres(sqlx::Error),
    /// It is a folder.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        error: std::io::Error,
    },
    /// A key is not as it was written.
    #[error("the key {0} is not as it was written")]
    DamagedKey(Uuid),
    /// The store forgets a subject again and again while it is appended.
    #[error("a subject was forgotten again and again while a key for it was made; try again")]
    Forgotten,
    /// No randomness.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// It did not answer.
    #[error("no answer within {0} s")]
    TimedOut(u64),
}

impl From<sqlx::Error> for KeyStoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<KeyStoreError> for PersonalDataError {
    fn from(error: KeyStoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for PersonalDataError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<KeyStoreError> for StartPersonalDataError {
    fn from(error: KeyStoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PersonalDataError> for sqlx::Error {
    /// Whoever reads the log knows errors of Postgres: one that passes is tried again, and so is this. It is never the fault of an event or of a module.
    fn from(error: PersonalDataError) -> Self {
        match error {
            PersonalDataError::Postgres(error) => error,
            other => Self::Io(std::io::Error::other(other)),
        }
    }
}

impl PersonalDataError {
    /// The one that was made an error of Postgres.
    #[must_use]
    pub fn within(error: &sqlx::Error) -> Option<&Self> {
        match error {
            sqlx::Error::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartPersonalDataError {
    /// It has no keys, and the log has personal data.
    #[error(
        "events of this log have personal data (of the type `{event_type}`, since {since}), and the host has no keys to it: start it with \
         --personal-data-keys (GNOMON_PERSONAL_DATA_KEYS) and the store that the other hosts have"
    )]
    NoKeys {
        /// One of the types.
        event_type: String,
        /// Since when.
        since: Instant,
    },
    /// The keys would be beside the log.
    #[error(
        "the database of --personal-data-keys (GNOMON_PERSONAL_DATA_KEYS) has a log of Gnomon: whoever has a backup of it would have the log together with \
         its keys, and to forget would be in vain. Give the keys a database of their own"
    )]
    BesideALog,
    /// It is neither a database nor a folder.
    #[error(
        "--personal-data-keys (GNOMON_PERSONAL_DATA_KEYS) is postgres://user:password@host:port/database, or file: and a folder: {0}"
    )]
    NotAStore(String),
    /// The folder is open to others.
    #[error(
        "the folder of --personal-data-keys, {0}, is open to other users of this machine; close it with `chmod 700`"
    )]
    OpenFolder(String),
    /// Another process uses the folder.
    #[error(
        "the folder of --personal-data-keys, {0}, is used by another host. A folder is for one host; hosts of one log share their keys in a database \
         (postgres://…)"
    )]
    FolderInUse(String),
    /// The store cannot be used.
    #[error("the keys of personal data (--personal-data-keys) cannot be used: {0}")]
    Store(KeyStoreError),
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}
