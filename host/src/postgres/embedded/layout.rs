//! The files of the data directory.
//!
//! ```text
//! <data_dir>/postgres/           belongs to the host, so that the server's user can place no links in it
//!     host.lock                  locked by the running host; has its pid
//!     cluster/                   what Postgres calls its data directory; belongs to the server's user
//!     password                   of the roles `gnomon` and `postgres`; 0600, belongs to the server's user
//!     port                       chosen at the first start
//!     gnomon.conf                settings, written at each start, included by cluster/postgresql.conf
//!     postgres.log, .1           the server's log and the part before
//!     new-*                      unfinished files and folders; a start removes them
//! <data_dir>/cache/postgres/     downloaded servers, a folder each
//! ```

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use super::user::ServerUser;

/// Prefix of the names of unfinished files and folders.
const UNFINISHED: &str = "new-";

#[derive(Clone, Debug)]
pub(super) struct Layout {
    data_dir: PathBuf,
    home: PathBuf,
}

impl Layout {
    /// The layout under a data directory, with an absolute path: Postgres has another current folder than the host.
    pub(super) fn under(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = std::path::absolute(data_dir).map_err(EmbeddedError::io("find the path of", data_dir))?;
        Ok(Self { home: data_dir.join("postgres"), data_dir })
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.home.join("host.lock")
    }

    pub(super) fn password(&self) -> PathBuf {
        self.home.join("password")
    }

    pub(super) fn port(&self) -> PathBuf {
        self.home.join("port")
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.home.join("gnomon.conf")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    pub(super) fn downloads(&self) -> PathBuf {
        self.data_dir.join("cache").join("postgres")
    }

    /// A name for an unfinished file or folder, used only once.
    pub(super) fn unfinished(&self, what: &str) -> PathBuf {
        self.home.join(format!("{UNFINISHED}{what}-{}", uuid::Uuid::new_v4().simple()))
    }

    /// Removes what a killed host has left unfinished. A program of that host may still be writing there, so what cannot be
    /// removed now is left for the next start.
    pub(super) fn sweep(&self) -> Result<(), EmbeddedError> {
        for entry in fs::read_dir(&self.home).map_err(EmbeddedError::io("list", &self.home))? {
            let entry = entry.map_err(EmbeddedError::io("list", &self.home))?;
            if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                continue;
            }
            let path = entry.path();
            let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            if let Err(error) = removed {
                tracing::debug!(path = %path.display(), %error, "cannot remove an unfinished file or folder; the next start tries again");
            }
        }
        Ok(())
    }

    /// Writes a file so that a crash leaves the old or the new content. It belongs to `owner`, or to the host if there is none.
    pub(super) fn write(
        &self,
        path: &Path,
        content: &str,
        mode: u32,
        owner: Option<&ServerUser>,
    ) -> Result<(), EmbeddedError> {
        let write = || -> io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.home)?;
            file.write_all(content.as_bytes())?;
            file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
            Ok(file)
        };
        let file = write().map_err(EmbeddedError::io("write", path))?;
        if let Some(owner) = owner {
            owner.own(file.path())?;
        }
        file.as_file().sync_all().map_err(EmbeddedError::io("write", path))?;
        file.persist(path).map_err(|error| EmbeddedError::io("write", path)(error.error))?;
        self.sync()
    }

    /// Forces the names in `postgres/` to disk.
    pub(super) fn sync(&self) -> Result<(), EmbeddedError> {
        fs::File::open(&self.home).and_then(|folder| folder.sync_all()).map_err(EmbeddedError::io("write", &self.home))
    }
}
