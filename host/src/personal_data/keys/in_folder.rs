//! Keys in a folder: a file for each.
//!
//! The file `<id>.key` has the subject and its key; an empty one was destroyed. One host has the folder, and holds a lock on it, so it knows which subjects have a
//! key without a look at all files.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::stored_key::StoredKey;
use crate::personal_data::error::{KeyStoreError, StartPersonalDataError};

/// What a file has.
#[derive(Deserialize, Serialize)]
struct KeyFile {
    subject: String,
    key: String,
}

/// A store in a folder.
#[derive(Debug)]
pub(super) struct InFolder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    /// The key of each subject. Held while one is made or destroyed.
    subjects: Mutex<HashMap<String, Uuid>>,
    /// Locked for as long as this host has the folder.
    _lock: File,
}

impl InFolder {
    pub(super) async fn open(folder: PathBuf) -> Result<Self, StartPersonalDataError> {
        let shared = blocking(move || Ok(Shared::open(folder))).await??;
        Ok(Self(Arc::new(shared)))
    }

    pub(super) async fn of_subjects(&self, subjects: Vec<String>) -> Result<Vec<(String, StoredKey)>, KeyStoreError> {
        let shared = Arc::clone(&self.0);
        blocking(move || subjects.into_iter().map(|subject| shared.of_subject(subject)).collect()).await
    }

    pub(super) async fn of_ids(&self, ids: Vec<Uuid>) -> Result<Vec<(Uuid, Option<StoredKey>)>, KeyStoreError> {
        let shared = Arc::clone(&self.0);
        let read = move |id: Uuid| Some(shared.read(id).transpose()?.map(|found| (id, found.map(|(_, key)| key))));
        blocking(move || ids.into_iter().filter_map(read).collect()).await
    }

    pub(super) async fn ids_of(&self, subject: String) -> Result<Vec<Uuid>, KeyStoreError> {
        let subjects = self.0.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(subjects.get(&subject).copied().into_iter().collect())
    }

    pub(super) async fn destroy(&self, ids: Vec<Uuid>) -> Result<(), KeyStoreError> {
        let shared = Arc::clone(&self.0);
        blocking(move || ids.into_iter().try_for_each(|id| shared.destroy(id))).await
    }
}

impl Shared {
    fn open(folder: PathBuf) -> Result<Self, StartPersonalDataError> {
        let at = |path: &Path, error| StartPersonalDataError::Store(of_file(path, error));
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| at(&folder, error))?;
        let mode = fs::metadata(&folder).map_err(|error| at(&folder, error))?.mode();
        if mode & 0o077 != 0 {
            return Err(StartPersonalDataError::OpenFolder(folder.display().to_string()));
        }
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let lock = lock.map_err(|error| at(&path, error))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StartPersonalDataError::FolderInUse(folder.display().to_string()),
            TryLockError::Error(error) => at(&path, error),
        })?;
        let mut shared = Self { folder, subjects: Mutex::default(), _lock: lock };
        let subjects = shared.look()?;
        shared.subjects = Mutex::new(subjects);
        Ok(shared)
    }

    /// Which subjects have a key.
    fn look(&self) -> Result<HashMap<String, Uuid>, KeyStoreError> {
        let mut subjects = HashMap::new();
        let entries = fs::read_dir(&self.folder).map_err(|error| of_file(&self.folder, error))?;
        for entry in entries {
            let path = entry.map_err(|error| of_file(&self.folder, error))?.path();
            match (path.extension().and_then(|end| end.to_str()), path.file_stem().and_then(|name| name.to_str())) {
                // A key that was being made when its host was killed: nothing is encrypted with it.
                (Some("new"), _) => fs::remove_file(&path).map_err(|error| of_file(&path, error))?,
                (Some("key"), Some(name)) => {
                    let Ok(id) = Uuid::try_parse(name) else { continue };
                    if let Some(Some((subject, _))) = self.read(id)? {
                        subjects.insert(subject, id);
                    }
                }
                _ => {}
            }
        }
        Ok(subjects)
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{}.key", id.simple()))
    }

    /// The subject and the key of an id: `None` if it is not known, and `Some(None)` if it is destroyed.
    fn read(&self, id: Uuid) -> Result<Option<Option<(String, StoredKey)>>, KeyStoreError> {
        let path = self.path(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(of_file(&path, error)),
        };
        // Zeros are written over it before it is made empty.
        if text.first().is_none_or(|first| *first == 0) {
            return Ok(Some(None));
        }
        let damaged = || KeyStoreError::DamagedKey(id);
        let KeyFile { subject, key } = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let bytes = STANDARD.decode(key).map_err(|_| damaged())?;
        Ok(Some(Some((subject, StoredKey { id, bytes }))))
    }

    /// The key of a subject, which gets one if it has none.
    fn of_subject(&self, subject: String) -> Result<(String, StoredKey), KeyStoreError> {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = subjects.get(&subject) {
            // A file that is gone, or destroyed, though the host has done neither, is an older folder than the one that was opened.
            let found = self.read(*id)?.flatten().ok_or(KeyStoreError::DamagedKey(*id))?;
            return Ok((subject, found.1));
        }
        let key = StoredKey::make()?;
        self.write(&subject, &key)?;
        subjects.insert(subject.clone(), key.id);
        Ok((subject, key))
    }

    /// Writes the file of a key, whole or not at all. It is durable when this returns.
    fn write(&self, subject: &str, key: &StoredKey) -> Result<(), KeyStoreError> {
        let (path, new) = (self.path(key.id), self.folder.join(format!("{}.new", key.id.simple())));
        let content = KeyFile { subject: subject.to_owned(), key: STANDARD.encode(&key.bytes) };
        let write = || {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
            file.write_all(&serde_json::to_vec(&content)?)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| of_file(&path, error))
    }

    /// Destroys a key: its bytes are written over, where the file system writes where it wrote before.
    fn destroy(&self, id: Uuid) -> Result<(), KeyStoreError> {
        let path = self.path(id);
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Some((subject, _))) = self.read(id)? else { return Ok(()) };
        let overwrite = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
            file.write_all(&vec![0; length])?;
            file.sync_all()?;
            file.set_len(0)?;
            file.sync_all()
        };
        overwrite().map_err(|error| of_file(&path, error))?;
        subjects.remove(&subject);
        Ok(())
    }
}

fn of_file(path: &Path, error: io::Error) -> KeyStoreError {
    KeyStoreError::File { path: path.display().to_string(), error }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, KeyStoreError> {
    let failed = |error| KeyStoreError::File { path: "a file".to_owned(), error: io::Error::other(error) };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}
