//! Clocks of processes, which a test steps: a library that is loaded before theirs adds to the time of day.

use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::PathBuf,
    process::Command,
    sync::Arc,
};

use tempfile::TempDir;

/// What makes clocks.
pub(crate) struct Clocks {
    folder: Arc<TempDir>,
}

/// The clock of one or more processes.
#[derive(Clone)]
pub(crate) struct Clock {
    file: PathBuf,
    /// Has the library, as long as processes may load it.
    folder: Arc<TempDir>,
}

impl Clocks {
    /// Compiles the library; `None` where there is no C compiler.
    pub(crate) fn make() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let source = folder.path().join("clock.c");
        fs::write(&source, include_str!("clock.c")).unwrap();
        // Rust links with the same program.
        let compiled =
            Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(library(&folder)).arg(source).output();
        compiled.is_ok_and(|output| output.status.success()).then(|| Self { folder: Arc::new(folder) })
    }

    /// A clock that is right.
    pub(crate) fn clock(&self, name: &str) -> Clock {
        let clock = Clock { file: self.folder.path().join(name), folder: Arc::clone(&self.folder) };
        clock.set_ahead(0);
        clock
    }
}

impl Clock {
    /// The variables for the process.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let variable = |name: &str, path: PathBuf| (name.to_owned(), path.to_str().unwrap().to_owned());
        vec![variable("LD_PRELOAD", library(&self.folder)), variable("TEST_CLOCK", self.file.clone())]
    }

    /// Sets it so many milliseconds ahead of the right time.
    pub(crate) fn set_ahead(&self, milliseconds: i64) {
        // Written over what is there, so that no process finds an empty file.
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&self.file).unwrap();
        file.write_all_at(&(milliseconds * 1_000_000).to_ne_bytes(), 0).unwrap();
    }
}

fn library(folder: &TempDir) -> PathBuf {
    folder.path().join("clock.so")
}
