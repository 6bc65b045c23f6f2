//! Personal data in events: what is declared as such, the keys of those whose it is, and the way in and out.
//!
//! The log calls it where events come in and where they go out (`event_log/personal.rs`). It encrypts each personal field with the key of its subject, so that to forget
//! somebody is to destroy a key: the log stays as it is, and nobody reads what it has of them any more. Keys are in a store apart from the log, or whoever has a
//! backup of the log would have them.

mod cipher;
mod declaration;
mod declared;
mod error;
mod forgettings;
mod keys;
mod open;
mod places;
mod pointer;
mod seal;
mod sealed_text;
mod ttl;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use gnomon_values::{Instant as Timestamp, names::is_reserved};
use sqlx::PgPool;
use uuid::Uuid;

pub use self::{
    cipher::MAX_SEALED_PER_KEY,
    declaration::{
        Declaration, DeclarationError, MAX_PERSONAL_FIELDS, MAX_REPLACEMENT_BYTES, MAX_SUBJECTS_OF_TYPE, PersonalFields,
    },
    declared::{DeclareError, DeclaredType, MAX_DECLARED_TYPES},
    error::{KeyStoreError, MAX_SUBJECT_BYTES, PersonalDataError, Refusal, StartPersonalDataError},
    forgettings::Forgetting,
    keys::{KEYS_TIMEOUT, KeysAt, MAX_CACHED_KEYS},
    open::{Opened, ToOpen},
    pointer::{MAX_POINTER_BYTES, Pointer, PointerError},
    seal::ToSeal,
    sealed_text::SEALED_PREFIX,
    ttl::PERSONAL_DATA_TTL,
};
use self::{
    declared::Declared,
    forgettings::Forgettings,
    keys::Keys,
    open::{SealedValue, opened_event, sealed_values},
    seal::{check_subject, check_unsealed, personal_values, sealed_data},
};

/// The personal data of a log. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct PersonalData(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    declared: Arc<Declared>,
    /// `None` if this host has none.
    keys: Option<Keys>,
    forgettings: Forgettings,
}

/// Why a subject is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// It cannot be the name of one.
    #[error("subject: {0}")]
    Subject(String),
    /// The keys cannot be destroyed now.
    #[error(transparent)]
    PersonalData(#[from] PersonalDataError),
}

impl PersonalData {
    /// The personal data of the log of a database whose schema is up to date.
    ///
    /// # Errors
    /// The store cannot be used, is beside the log, or is needed and there is none.
    pub async fn start(pool: PgPool, at: Option<&KeysAt>) -> Result<Self, StartPersonalDataError> {
        let keys = match at {
            Some(at) => Some(Keys::open(at).await?),
            None => None,
        };
        let started = Self::with_keys(pool, keys).await?;
        if started.0.keys.is_none() {
            let known = started.0.declared.current().await?;
            let first = known.iter().min_by_key(|(_, known)| known.declared_at.0);
            if let Some((event_type, known)) = first {
                let (event_type, since) = (event_type.clone(), known.declared_at);
                return Err(StartPersonalDataError::NoKeys { event_type, since });
            }
        }
        Ok(started)
    }

    /// The personal data of a log for which this host has no keys. What is declared it neither appends nor reads.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn without_keys(pool: PgPool) -> Result<Self, sqlx::Error> {
        Self::with_keys(pool, None).await
    }

    async fn with_keys(pool: PgPool, keys: Option<Keys>) -> Result<Self, sqlx::Error> {
        let (declared, forgettings) = (Declared::start(pool.clone()).await?, Forgettings::new(pool));
        Ok(Self(Arc::new(Shared { declared, keys, forgettings })))
    }

    /// Whether this host has keys.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.0.keys.is_some()
    }

    /// Whether no event of the log is encrypted, and none is to be, as far as this host can know. Asked for each append and each read, so it costs next
    /// to nothing.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.0.keys.is_none() && self.0.declared.is_nothing()
    }

    /// Whether a text may have something that is encrypted. If not, it has not.
    #[must_use]
    pub fn may_be_sealed(data: &str) -> bool {
        data.contains(sealed_text::SEALED_MARK)
    }

    /// Encrypts the personal fields of events: the data of each as the log is to have it, `None` if it is as it was, or why it cannot be appended.
    /// New keys are durable when this returns. If Postgres is away, it is waited for until the timeout.
    ///
    /// # Errors
    /// Nothing can be encrypted now.
    pub async fn seal(
        &self,
        events: &[ToSeal<'_>],
        timeout: Duration,
    ) -> Result<Vec<Result<Option<String>, Refusal>>, PersonalDataError> {
        let Shared { declared, keys, .. } = &*self.0;
        let known = declared.current_within(timeout).await?;
        let values = |event: &ToSeal<'_>| {
            if is_reserved(event.stream) {
                return Ok(Vec::new());
            }
            check_unsealed(event)?;
            match known.get(event.event_type).filter(|known| known.is_sealed) {
                Some(known) => personal_values(&known.declaration, event),
                None => Ok(Vec::new()),
            }
        };
        let found: Vec<Result<Vec<_>, Refusal>> = events.iter().map(values).collect();
        let subjects: HashSet<String> = found.iter().flatten().flatten().map(|value| value.subject.clone()).collect();
        let keys = match (subjects.is_empty(), keys) {
            (true, _) => HashMap::new(),
            (false, Some(keys)) => keys.of_subjects(subjects).await?,
            (false, None) => return Err(PersonalDataError::NoKeys),
        };
        let sealed = |(event, found): (&ToSeal<'_>, Result<Vec<_>, Refusal>)| match found {
            Ok(values) if values.is_empty() => Ok(Ok(None)),
            // ring refuses only what is longer than an event can be.
            Ok(values) => match sealed_data(event, &values, &keys) {
                Ok(data) => Ok(Ok(Some(data))),
                Err(_) => Err(PersonalDataError::NotJson(0)),
            },
            Err(refusal) => Ok(Err(refusal)),
        };
        events.iter().zip(found).map(sealed).collect()
    }

    /// Decrypts the personal fields of events: each as readers see it, `None` if it is as the log has it. Where a subject is forgotten, what was declared stands in
    /// the place of its fields, and the metadata says so.
    ///
    /// # Errors
    /// They cannot be read now. None of them may be shown as the log has it.
    pub async fn open(&self, events: &[ToOpen<'_>]) -> Result<Vec<Option<Opened>>, PersonalDataError> {
        let Shared { declared, keys, .. } = &*self.0;
        // What the host itself appends, to streams of its own, is as it appends it.
        let values = |event: &ToOpen<'_>| if is_reserved(event.stream) { Ok(Vec::new()) } else { sealed_values(event) };
        let values = events.iter().map(values).collect::<Result<Vec<_>, _>>()?;
        if values.iter().all(Vec::is_empty) {
            return Ok(vec![None; events.len()]);
        }
        let mut known = declared.current().await?;
        let is_known = |known: &declared::KnownTypes, (event, values): (&ToOpen<'_>, &Vec<SealedValue>)| {
            values.is_empty() || known.contains_key(event.event_type)
        };
        // Another host may have declared it a moment ago.
        if !events.iter().zip(&values).all(|one| is_known(&known, one)) {
            known = declared.look().await?;
        }
        // What was there before anything was declared of the type is a text that only looks so.
        let of_type = |event: &ToOpen<'_>| known.get(event.event_type).filter(|known| event.position > known.after);
        let ids: HashSet<Uuid> = (events.iter().zip(&values))
            .filter(|(event, _)| of_type(event).is_some())
            .flat_map(|(_, values)| values.iter().map(|value| value.sealed.key))
            .collect();
        let keys = match (ids.is_empty(), keys) {
            (true, _) => HashMap::new(),
            (false, Some(keys)) => keys.of_ids(ids).await?,
            (false, None) => return Err(PersonalDataError::NoKeys),
        };
        let opened = |(event, values): (&ToOpen<'_>, Vec<SealedValue>)| {
            let Some(known) = of_type(event).filter(|_| !values.is_empty()) else { return Ok(None) };
            opened_event(event, values, &keys, Some(&known.declaration)).map(Some)
        };
        events.iter().zip(values).map(opened).collect()
    }

    /// Declares the personal fields of a type of events. When it returns, all hosts encrypt what comes in. Earlier events stay as they are.
    ///
    /// # Errors
    /// See [`DeclareError`].
    pub async fn declare(&self, event_type: &str, declaration: &Declaration) -> Result<DeclaredType, DeclareError> {
        if self.0.keys.is_none() {
            return Err(DeclareError::NoKeys);
        }
        self.0.declared.declare(event_type, declaration).await
    }

    /// The types that have personal fields, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn declared(&self) -> Result<Vec<DeclaredType>, sqlx::Error> {
        self.0.declared.list().await
    }

    /// Every type that ever had personal fields.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn ever_declared(&self) -> Result<Vec<String>, sqlx::Error> {
        Ok(self.0.declared.look().await?.keys().cloned().collect())
    }

    /// From some seconds on, events of a type are appended as they are. Those that are encrypted stay so.
    ///
    /// # Errors
    /// See [`DeclareError`].
    pub async fn remove(&self, event_type: &str) -> Result<(), DeclareError> {
        self.0.declared.remove(event_type).await
    }

    /// Forgets a subject: destroys its key, so that nobody reads any more what the log has of it. `None` if it has no key. What was made of its events
    /// before is for others to remove: see [`unfinished`](Self::unfinished).
    ///
    /// # Errors
    /// The keys cannot be destroyed now. If it was noted that they are to be, a host does it as soon as it can.
    pub async fn forget(&self, subject: &str) -> Result<Option<Forgetting>, ForgetError> {
        check_subject(subject).map_err(ForgetError::Subject)?;
        let Shared { keys, forgettings, .. } = &*self.0;
        let keys = keys.as_ref().ok_or(PersonalDataError::NoKeys)?;
        let ids = keys.ids_of(subject).await.map_err(PersonalDataError::from)?;
        if ids.is_empty() {
            return Ok(None);
        }
        let forgetting = forgettings.begin(&ids).await.map_err(PersonalDataError::from)?;
        keys.destroy(ids).await.map_err(PersonalDataError::from)?;
        forgettings.destroyed(forgetting.number).await.map_err(PersonalDataError::from)?;
        Ok(Some(forgetting))
    }

    /// Goes on with what hosts have begun: destroys keys that are to be, and notes where no host reads with them any more. Returns the forgettings that are not
    /// finished, the oldest first.
    ///
    /// # Errors
    /// Postgres or the store fails.
    pub async fn unfinished(&self, limit: usize) -> Result<Vec<Forgetting>, PersonalDataError> {
        let Shared { keys, forgettings, .. } = &*self.0;
        let unfinished = forgettings.unfinished(limit).await?;
        if unfinished.iter().all(|forgetting| forgetting.effective_at.is_some()) {
            return Ok(unfinished);
        }
        for (number, ids) in forgettings.not_destroyed().await? {
            let keys = keys.as_ref().ok_or(PersonalDataError::NoKeys)?;
            keys.destroy(ids).await?;
            forgettings.destroyed(number).await?;
        }
        forgettings.become_effective().await?;
        Ok(forgettings.unfinished(limit).await?)
    }

    /// Nothing is left that was made with the keys of those that had become effective by then.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn finish(&self, effective_by: Timestamp) -> Result<(), sqlx::Error> {
        self.0.forgettings.finish(effective_by).await
    }

    /// A forgetting.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn forgetting(&self, number: i64) -> Result<Option<Forgetting>, sqlx::Error> {
        self.0.forgettings.one(number).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
