//! A server for a test process: quick to start, and removed with its files when the process ends.
//!
//! Making a cluster takes most of the time of a first start, so one is kept as a template beside the test programs, and each
//! server gets a copy.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::config::{Durability, EmbeddedConfig};
use super::error::EmbeddedError;
use super::layout::Layout;
use super::locate::{Binaries, Search};
use super::server::EmbeddedPostgres;
use super::user::ServerUser;
use super::{cluster, download};

/// Part of a template's name; to be raised when this file or `ready::connect` changes the content of a cluster.
const FORMAT: u32 = 2;

/// Starts a server on a copy of the template in `cache`, which is made if it is not there. Any number of processes may
/// do so at the same time.
pub(in crate::postgres) async fn start(cache: &Path) -> Result<EmbeddedPostgres, EmbeddedError> {
    let mut config = EmbeddedConfig::from_env(cache);
    config.durability = Durability::Off;

    let template = Template::prepare(cache, config.clone()).await?;
    let folder = temporary_folder()?;
    let layout = Layout::under(folder.path())?;
    let copied = {
        let (layout, template) = (layout.clone(), template.clone());
        tokio::task::spawn_blocking(move || template.copy_to(&layout)).await
    };
    copied.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;

    config.data_dir = folder.path().to_owned();
    config.pg_bin = Some(template.binaries.folder);
    // The data is not needed: no last checkpoint, and the folder is removed.
    config.stop_timeout = std::time::Duration::ZERO;
    config.remove_data_dir = true;
    let postgres = EmbeddedPostgres::start(config).await?;
    // From here on the server's watcher removes the folder.
    let _ = folder.keep();
    Ok(postgres)
}

#[derive(Clone)]
struct Template {
    folder: PathBuf,
    binaries: Binaries,
    user: ServerUser,
}

impl Template {
    async fn prepare(cache: &Path, config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(cache).map_err(EmbeddedError::io("make the folder", cache))?;
        // There is no cluster, so it has no owner.
        let user = ServerUser::choose(&cache.join("none"))?;
        let binaries = match Search::of_this_machine(config.pg_bin.clone()).find(None, &user)?.chosen {
            Some(binaries) => binaries,
            None => {
                let _lock = lock(cache.join("download.lock")).await?;
                download::server(cache, &config, &user)
                    .await
                    .map_err(|download| EmbeddedError::NoServer { download })?
            }
        };

        let options = cluster::options(Durability::Off, &[]);
        let inputs = format!("{FORMAT} {} {} {} {options:?}", binaries.folder.display(), binaries.version, user.name());
        let name: String = Sha256::digest(inputs).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let template = Self { folder: cache.join(&name), binaries, user };
        if !template.folder.exists() {
            let _lock = lock(cache.join(format!("{name}.lock"))).await?;
            // The process that held the lock before may have made it.
            if !template.folder.exists() {
                template.make(cache, config).await?;
            }
        }
        Ok(template)
    }

    async fn make(&self, cache: &Path, mut config: EmbeddedConfig) -> Result<(), EmbeddedError> {
        let folder = temporary_folder()?;
        // Other users may not enter temporary folders of root.
        self.user.own(folder.path())?;
        config.data_dir = folder.path().to_owned();
        config.pg_bin = Some(self.binaries.folder.clone());
        // With the role and the database, and stopped in an orderly way: a copy has nothing to recover.
        EmbeddedPostgres::start(config).await?.stop().await?;

        let layout = Layout::under(folder.path())?;
        let unfinished = tempfile::tempdir_in(cache).map_err(EmbeddedError::io("make a folder in", cache))?;
        copy(&layout.cluster(), &unfinished.path().join("cluster"), None)?;
        copy(&layout.password(), &unfinished.path().join("password"), None)?;
        fs::rename(unfinished.keep(), &self.folder).map_err(EmbeddedError::io("rename to", &self.folder))
    }

    fn copy_to(&self, layout: &Layout) -> Result<(), EmbeddedError> {
        self.user.own(layout.data_dir())?;
        self.user.create_dir(layout.home())?;
        copy(&self.folder.join("cluster"), &layout.cluster(), Some(&self.user))?;
        copy(&self.folder.join("password"), &layout.password(), Some(&self.user))
    }
}

fn temporary_folder() -> Result<tempfile::TempDir, EmbeddedError> {
    let parent = std::env::temp_dir();
    tempfile::Builder::new().prefix("gnomon-test-").tempdir().map_err(EmbeddedError::io("make a folder in", &parent))
}

/// Waits for the lock on a file.
async fn lock(path: PathBuf) -> Result<File, EmbeddedError> {
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        file.and_then(|file| file.lock().map(|()| file)).map_err(EmbeddedError::io("lock", &path))
    });
    locked.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Copies a file or a folder with its modes, as files of `owner` or else of the host.
fn copy(from: &Path, to: &Path, owner: Option<&ServerUser>) -> Result<(), EmbeddedError> {
    let failed = |cause: io::Error| EmbeddedError::Io { action: "copy", path: from.to_owned(), cause };
    let metadata = fs::symlink_metadata(from).map_err(failed)?;
    if metadata.is_dir() {
        fs::create_dir(to).map_err(failed)?;
        fs::set_permissions(to, Permissions::from_mode(metadata.permissions().mode())).map_err(failed)?;
        for entry in fs::read_dir(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            copy(&entry.path(), &to.join(entry.file_name()), owner)?;
        }
    } else {
        fs::copy(from, to).map_err(failed)?;
    }
    owner.map_or(Ok(()), |owner| owner.own(to))
}
