//! Keeps compiled code on disk, by the digest of the module and the engine that compiled it.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tracing::{debug, info, warn};
use wasmtime::Engine;

use super::code::CompiledCode;
use crate::runtime::digest::Digest;

/// The folder of compiled modules. A file that is missing or damaged is compiled again.
#[derive(Clone, Debug)]
pub(super) struct CompiledCache {
    folder: Option<PathBuf>,
    /// Bytes that the folder may have; what was not used for longest is removed first.
    max_bytes: u64,
}

/// Code that is not kept yet. It is removed with this value unless the module is accepted.
#[must_use]
#[derive(Debug)]
pub struct NewCode(Option<Staged>);

#[derive(Debug)]
struct Staged {
    file: NamedTempFile,
    path: PathBuf,
    cache: CompiledCache,
}

impl NewCode {
    /// Nothing to keep.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Keeps the code for the next load: the module is accepted. Blocks for a moment.
    pub fn keep(self) {
        let Some(Staged { file, path, cache }) = self.0 else { return };
        // Under this name it is whole, so that a host that dies while writing leaves no incomplete file.
        match file.persist(&path) {
            Ok(_) => cache.trim(),
            Err(error) => {
                warn!(path = %path.display(), %error, "cannot keep a compiled module; it will be compiled again")
            }
        }
    }
}

impl CompiledCache {
    /// Opens a cache below `folder`; without a folder, every load compiles.
    pub(super) fn open(folder: Option<&Path>, engine: &Engine, max_bytes: usize) -> io::Result<Self> {
        let max_bytes = max_bytes as u64;
        let Some(folder) = folder else { return Ok(Self { folder: None, max_bytes }) };
        // Code fits one version of wasmtime with the same settings only, so both are part of the path.
        let folder_of_engine = folder.join(engine_name(engine));
        for folder in [folder, &folder_of_engine] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // The host executes what is in it, so nobody else may write there, whatever the umask was when it was made.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self { folder: Some(folder_of_engine), max_bytes })
    }

    /// The code of the module of this digest, if it is there.
    pub(super) fn read(&self, digest: &Digest) -> Option<CompiledCode> {
        let path = self.path(digest)?;
        match read(&path) {
            Ok(code) => code,
            Err(error) => {
                warn!(path = %path.display(), %error, "cannot use the cached module; compiling it again");
                None
            }
        }
    }

    /// Writes code that is to be kept if its module is accepted.
    pub(super) fn stage(&self, digest: &Digest, code: &CompiledCode) -> NewCode {
        let (Some(folder), Some(path)) = (&self.folder, self.path(digest)) else { return NewCode::none() };
        match write(folder, code.bytes()) {
            Ok(file) => NewCode(Some(Staged { file, path, cache: self.clone() })),
            Err(error) => {
                warn!(path = %path.display(), %error, "cannot cache the compiled module; the next start compiles it again");
                NewCode::none()
            }
        }
    }

    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{digest}.cwasm")))
    }

    /// Removes the code of modules that are not known, of other engines, and what hosts that died have left.
    pub(super) fn sweep(&self, known: &HashSet<Digest>) {
        let Some(folder) = &self.folder else { return };
        let mut removed = 0_u64;
        for of_engine in folder.parent().map(entries).unwrap_or_default() {
            let is_ours = of_engine == *folder;
            if !of_engine.file_name().and_then(|name| name.to_str()).is_some_and(is_engine_name) {
                continue;
            }
            for file in entries(&of_engine) {
                if !(is_ours && is_wanted(&file, known)) {
                    removed += u64::from(fs::remove_file(&file).is_ok());
                }
            }
            if !is_ours {
                // Unless something else is in it.
                let _ = fs::remove_dir(&of_engine);
            }
        }
        if removed > 0 {
            info!(removed, "compiled modules that nobody knows were removed from the disk");
        }
        self.trim();
    }

    /// Removes what was not used for longest, until the rest fits.
    fn trim(&self) {
        let Some(folder) = &self.folder else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries(folder)
            .into_iter()
            .filter_map(|path| {
                let found = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
                Some((found.modified().ok()?, found.len(), path))
            })
            .collect();
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, path) in files {
            if bytes <= self.max_bytes {
                break;
            }
            debug!(path = %path.display(), "a compiled module is removed from the disk, which has more than max_cache_bytes");
            if fs::remove_file(&path).is_ok() {
                bytes -= size;
            }
        }
    }
}

/// How long a file that is not complete may be written to.
const UNFINISHED: Duration = Duration::from_secs(60 * 60);

/// Whether a file is the code of a known module, or another host of this folder may be writing it.
fn is_wanted(file: &Path, known: &HashSet<Digest>) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match name.strip_suffix(".cwasm") {
        Some(digest) => known.contains(&Digest::from(digest.to_owned())),
        None => {
            let written = fs::metadata(file).and_then(|found| found.modified());
            written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < UNFINISHED))
        }
    }
}

/// What is in a folder; nothing if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Each file begins with the SHA-256 of the rest.
const CHECKSUM_BYTES: usize = 32;

/// Reads what [`write`] has written; the folder is the host's own, and the checksum shows that it is unchanged.
fn read(path: &Path) -> io::Result<Option<CompiledCode>> {
    let mut file = match fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (checksum, code) = file.split_at_checked(CHECKSUM_BYTES).unwrap_or_default();
    if Sha256::digest(code).as_slice() != checksum {
        return Err(io::Error::other("its checksum is wrong"));
    }
    // That it was used; if it cannot be noted, it is removed earlier.
    let _ = fs::File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    file.drain(..CHECKSUM_BYTES);
    Ok(Some(CompiledCode::of_compiler(file)))
}

fn write(folder: &Path, code: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, &Sha256::digest(code))?;
    io::Write::write_all(&mut file, code)?;
    Ok(file)
}

fn engine_name(engine: &Engine) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn is_engine_name(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path, max_bytes: usize) -> CompiledCache {
        CompiledCache::open(Some(folder), &Engine::default(), max_bytes).unwrap()
    }

    fn code(byte: u8) -> CompiledCode {
        CompiledCode::of_compiler(vec![byte; 1000])
    }

    fn digest(byte: u8) -> Digest {
        Digest::of(&[byte])
    }

    fn files(cache: &CompiledCache) -> usize {
        entries(cache.folder.as_ref().unwrap()).len()
    }

    #[test]
    fn only_what_was_accepted_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 1 << 20);
        let refused = cache.stage(&digest(1), &code(1));
        assert_eq!(files(&cache), 1);
        assert!(cache.read(&digest(1)).is_none(), "it is not kept yet");
        drop(refused);
        assert_eq!(files(&cache), 0);
        cache.stage(&digest(1), &code(1)).keep();
        assert_eq!(cache.read(&digest(1)).unwrap().bytes(), code(1).bytes());
        assert!(cache.read(&digest(2)).is_none());
    }

    #[test]
    fn what_is_damaged_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 1 << 20);
        cache.stage(&digest(1), &code(1)).keep();
        let path = cache.path(&digest(1)).unwrap();
        for damaged in [&b"short"[..], &[7; 2000]] {
            fs::write(&path, damaged).unwrap();
            assert!(cache.read(&digest(1)).is_none());
        }
    }

    #[test]
    fn what_nobody_knows_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let of_another_engine = folder.path().join("0123456789abcdef");
        fs::create_dir(&of_another_engine).unwrap();
        fs::write(of_another_engine.join("old.cwasm"), "").unwrap();
        let not_ours = folder.path().join("notes");
        fs::write(&not_ours, "").unwrap();
        let cache = cache(folder.path(), 1 << 20);
        for byte in 1..=3 {
            cache.stage(&digest(byte), &code(byte)).keep();
        }
        // One that another host writes, and one that a host has left.
        let unfinished = cache.stage(&digest(4), &code(4));
        let left = cache.folder.as_ref().unwrap().join(".tmpleft");
        fs::write(&left, "").unwrap();
        fs::File::options().append(true).open(&left).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        cache.sweep(&HashSet::from([digest(2)]));
        assert!(!of_another_engine.exists() && not_ours.exists() && !left.exists());
        assert!(cache.read(&digest(1)).is_none() && cache.read(&digest(3)).is_none());
        assert!(cache.read(&digest(2)).is_some());
        unfinished.keep();
        assert!(cache.read(&digest(4)).is_some());
    }

    #[test]
    fn the_folder_has_a_bound_and_what_was_used_last_stays() {
        let folder = tempfile::tempdir().unwrap();
        // Room for three.
        let cache = cache(folder.path(), 3500);
        for byte in 1..=3 {
            cache.stage(&digest(byte), &code(byte)).keep();
            let path = cache.path(&digest(byte)).unwrap();
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(byte.into())).unwrap();
        }
        assert!(cache.read(&digest(1)).is_some(), "it is used again");
        cache.stage(&digest(4), &code(4)).keep();
        let kept: Vec<bool> = (1..=4).map(|byte| cache.read(&digest(byte)).is_some()).collect();
        assert_eq!(kept, [true, false, true, true]);
    }
}
