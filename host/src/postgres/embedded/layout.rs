//! Where things lie in the data directory.
//!
//! ```text
//! <data_dir>/postgres/           the host's (root's, where it is root), so that the server's user can lay no traps in it
//!     host.lock                  held by the host for its life; its pid
//!     cluster/                   what Postgres calls its data directory; the server's user's
//!     password                   of the roles `gnomon` and `postgres`; 0600, the server's user's
//!     port                       chosen at the first start
//!     gnomon.conf                settings, written anew at each start, included by cluster/postgresql.conf
//!     postgres.log, .1           the server's log and the part before
//!     new-*                      half-made things; void when a start finds them
//! <data_dir>/cache/postgres/     downloaded servers, a folder each
//! ```

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use super::user::ServerUser;

/// Half-made things begin with this.
const UNFINISHED: &str = "new-";

#[derive(Clone, Debug)]
pub(super) struct Layout {
    data_dir: PathBuf,
    home: PathBuf,
}

impl Layout {
    /// The layout under a data directory, with an absolute path: Postgres is started elsewhere than the host.
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

    /// A name for something half-made.
    pub(super) fn unfinished(&self, what: &str) -> PathBuf {
        self.home.join(format!("{UNFINISHED}{what}-{}", uuid::Uuid::new_v4().simple()))
    }

    /// Throws away what a killed host has left half-made. A program of its may still be at work there for a moment, so
    /// what cannot be removed now is left for the next start; no name is used twice.
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
                tracing::debug!(path = %path.display(), %error, "a half-made thing stays for now");
            }
        }
        Ok(())
    }

    /// Writes a file so that a crash leaves the old or the new one. It belongs to `owner` or else to the host.
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

    /// Makes names that were given in `postgres/` last.
    pub(super) fn sync(&self) -> Result<(), EmbeddedError> {
        fs::File::open(&self.home).and_then(|folder| folder.sync_all()).map_err(EmbeddedError::io("write", &self.home))
    }
}
