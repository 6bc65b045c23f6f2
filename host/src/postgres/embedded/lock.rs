//! One host per data directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;

use super::error::EmbeddedError;
use super::layout::Layout;
use super::user::ServerUser;

/// Held for the life of a host. The kernel lets go of it when the process is gone, however it went.
#[derive(Debug)]
pub(super) struct HostLock {
    file: File,
}

impl HostLock {
    pub(super) fn take(layout: &Layout, user: &ServerUser) -> Result<Self, EmbeddedError> {
        let path = layout.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            // Until it is locked, the content is another host's.
            .truncate(false)
            .open(&path)
            .map_err(|error| match fs::metadata(&path) {
                Ok(metadata) if error.kind() == ErrorKind::PermissionDenied => user.stranger_to(&path, metadata.uid()),
                _ => EmbeddedError::io("open", &path)(error),
            })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut content = String::new();
                // That host may be about to write it.
                let pid = file.read_to_string(&mut content).ok().and_then(|_| content.trim().parse().ok());
                return Err(EmbeddedError::InUse { data_dir: layout.data_dir().to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(EmbeddedError::io("lock", &path)(error)),
        }
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(EmbeddedError::io("write", &path))?;
        Ok(Self { file })
    }
}

impl Drop for HostLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is about to start has it open as well until it is
        // another program, and would hold the lock for as long. Where this fails, the lock ends with the process.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_and_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::under(folder.path()).unwrap();
        fs::create_dir(layout.home()).unwrap();
        let user = ServerUser::choose(&layout.cluster()).unwrap();

        let first = HostLock::take(&layout, &user).unwrap();
        let error = HostLock::take(&layout, &user).unwrap_err();
        assert!(matches!(error, EmbeddedError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error}");

        drop(first);
        HostLock::take(&layout, &user).unwrap();
    }
}
