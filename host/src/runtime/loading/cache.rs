//! Caches compiled code on disk, by the digest of the module and the engine that compiled it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use tracing::{debug, warn};
use wasmtime::{Engine, component::Component};

use crate::runtime::digest::Digest;

/// A folder of compiled modules. A file that is missing or damaged is compiled again.
#[derive(Clone, Debug)]
pub(super) struct CompiledCache {
    folder: Option<PathBuf>,
    /// Held while a module is compiled: one compilation uses all processors, and two would need twice the memory.
    compiling: Arc<Mutex<()>>,
}

impl CompiledCache {
    /// Opens a cache below `folder`; without a folder, every load compiles.
    pub(super) fn open(folder: Option<&Path>, engine: &Engine) -> io::Result<Self> {
        let compiling = Arc::default();
        let Some(folder) = folder else { return Ok(Self { folder: None, compiling }) };
        // Code fits one version of wasmtime with the same settings only, so both are part of the path.
        let folder_of_engine = folder.join(engine_name(engine));
        for folder in [folder, &folder_of_engine] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // The host executes what is in it, so nobody else may write there, whatever the umask was when it was made.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        let folder = folder_of_engine;
        Ok(Self { folder: Some(folder), compiling })
    }

    /// Reads the compiled module of this digest, or compiles it.
    pub(super) fn load(&self, engine: &Engine, digest: &Digest, bytes: &[u8]) -> wasmtime::Result<Component> {
        let Some(folder) = &self.folder else { return self.compile(engine, bytes) };
        let path = folder.join(format!("{digest}.cwasm"));
        match read(engine, &path) {
            Ok(Some(component)) => return Ok(component),
            Ok(None) => {}
            Err(error) => warn!(path = %path.display(), %error, "cannot use the cached module; compiling it again"),
        }
        let component = self.compile(engine, bytes)?;
        if let Err(error) = component.serialize().and_then(|code| Ok(write(&path, &code)?)) {
            warn!(path = %path.display(), %error, "cannot cache the compiled module; the next start compiles it again");
        }
        debug!(%digest, "module compiled");
        Ok(component)
    }

    fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let _one_at_a_time = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        Component::new(engine, bytes)
    }
}

/// Each file begins with the SHA-256 of the rest.
const CHECKSUM_BYTES: usize = 32;

fn read(engine: &Engine, path: &Path) -> wasmtime::Result<Option<Component>> {
    let file = match fs::read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (checksum, code) = file.split_at_checked(CHECKSUM_BYTES).unwrap_or_default();
    if Sha256::digest(code).as_slice() != checksum {
        wasmtime::bail!("its checksum is wrong");
    }
    // SAFETY: the machine code in the file is executed. The host wrote the file, completely (it got this name when it was whole)
    // and unchanged (its checksum is right), in a folder that it owns as it owns its program; wasmtime itself refuses code of
    // another version or other settings.
    #[allow(unsafe_code, reason = "the only way to load code that was compiled before")]
    let component = unsafe { Component::deserialize(engine, code) }?;
    Ok(Some(component))
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    // It gets this name when it is whole, so that a host that dies while writing leaves no incomplete file under it.
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, &Sha256::digest(code))?;
    io::Write::write_all(&mut file, code)?;
    file.persist(path)?;
    Ok(())
}

fn engine_name(engine: &Engine) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
