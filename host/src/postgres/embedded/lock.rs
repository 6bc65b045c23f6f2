//! One host per data directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;

use super::error::EmbeddedError;
use super::layout::Layout;
use super::user::ServerUser;

/// The lock on a data directory, held by a host as long as it runs. The kernel releases it when the process ends, however it
/// ends.
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
            // Until it is locked, the content may be that of another host.
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
                // Empty if that host has not written it yet.
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
        // Closing the file is not enough: a child process that another thread is starting has it open until its exec, and would
        // keep the lock until then. If unlocking fails, the lock ends with the process.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_host_is_refused_with_the_pid_of_the_first() {
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
