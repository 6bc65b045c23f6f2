//! The position that the user has appended last to each host, kept from one command to the next, so that `gnomon query` shows what
//! `gnomon append` has just appended.
//!
//! It is a help and no record: a file that is missing, unreadable or damaged is as good as an empty one, and what cannot be written is
//! forgotten.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tracing::debug;

use super::client::Client;
use crate::config::state_dir;

/// Hosts that are remembered; those that were appended to last stay.
const MAX_HOSTS: usize = 50;
/// A file with more bytes is not one of ours.
const MAX_BYTES: u64 = 256 * 1024;
/// How often the lock is tried, with this pause between.
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Remembers that the user has appended up to a position.
pub(super) fn remember(client: &Client, position: u64) {
    // Of two commands at the same time, the one that ends last may have appended first.
    update(client, |known| Some(known.map_or(position, |known| known.max(position))));
}

/// Replaces what is remembered of a host: its log is not the one that it was.
pub(super) fn replace(client: &Client, position: Option<u64>) {
    update(client, |_| position);
}

/// The position that the user has appended last to the host, as far as it is known.
pub(super) fn recall(client: &Client) -> Option<u64> {
    let file = LastAppends::read(&state_dir()?);
    file.hosts.iter().find(|host| host.url == client.name()).map(|host| host.position)
}

fn update(client: &Client, change: impl FnOnce(Option<u64>) -> Option<u64>) {
    let Some(folder) = state_dir() else { return };
    if let Err(error) = LastAppends::update(&folder, client.name(), change) {
        debug!(folder = %folder.display(), %error, "cannot remember what was appended");
    }
}

/// The file's content.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
struct LastAppends {
    /// Hosts, the one that was appended to last at the end.
    hosts: Vec<LastAppend>,
}

#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
struct LastAppend {
    url: String,
    position: u64,
}

impl LastAppends {
    fn path(folder: &Path) -> PathBuf {
        folder.join("last-appends.json")
    }

    /// The content of the file; empty if it has none that can be used.
    fn read(folder: &Path) -> Self {
        let mut text = String::new();
        let read = File::open(Self::path(folder)).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        if let Err(error) = read {
            debug!(folder = %folder.display(), %error, "cannot read what was appended last");
            return Self::default();
        }
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Changes the position of one host. A crash leaves the old file or the new one.
    fn update(folder: &Path, url: String, change: impl FnOnce(Option<u64>) -> Option<u64>) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let _lock = lock(folder)?;
        let mut content = Self::read(folder);
        let known =
            content.hosts.iter().position(|host| host.url == url).map(|index| content.hosts.remove(index).position);
        content.hosts.extend(change(known).map(|position| LastAppend { url, position }));
        let superfluous = content.hosts.len().saturating_sub(MAX_HOSTS);
        content.hosts.drain(..superfluous);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(serde_json::to_string(&content)?.as_bytes())?;
        file.persist(Self::path(folder)).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Keeps other commands from changing the file at the same time. A lock that is never released does not stop anybody for long.
fn lock(folder: &Path) -> io::Result<File> {
    let file =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("last-appends.lock"))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // Some file systems have no locks.
            Ok(()) | Err(fs::TryLockError::Error(_)) => break,
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn position(folder: &Path, url: &str) -> Option<u64> {
        LastAppends::read(folder).hosts.into_iter().find(|host| host.url == url).map(|host| host.position)
    }

    fn set(folder: &Path, url: &str, position: u64) {
        LastAppends::update(folder, url.to_owned(), |_| Some(position)).unwrap();
    }

    #[test]
    fn positions_are_kept_for_each_host_and_only_by_the_user() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("gnomon");
        assert_eq!(position(&folder, "http://a"), None);
        set(&folder, "http://a", 7);
        set(&folder, "http://b", 3);
        set(&folder, "http://a", 9);
        assert_eq!((position(&folder, "http://a"), position(&folder, "http://b")), (Some(9), Some(3)));
        LastAppends::update(&folder, "http://a".to_owned(), |known| known.filter(|_| false)).unwrap();
        assert_eq!((position(&folder, "http://a"), position(&folder, "http://b")), (None, Some(3)));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&LastAppends::path(&folder))), (0o700, 0o600));
    }

    #[test]
    fn commands_at_the_same_time_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || set(folder, &format!("http://host-{number}"), number));
            }
        });
        assert_eq!(LastAppends::read(folder).hosts.len(), 8);
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("{{\"hosts\":[]{}}}", " ".repeat(usize::try_from(MAX_BYTES).unwrap()));
        for damaged in
            [&b"{\"hosts\":[{\"url\":\"http://a\""[..], b"", b"\xff\0", b"[]", b"{\"hosts\":7}", long.as_bytes()]
        {
            fs::write(LastAppends::path(folder.path()), damaged).unwrap();
            assert_eq!(position(folder.path(), "http://a"), None);
            set(folder.path(), "http://a", 5);
            assert_eq!(position(folder.path(), "http://a"), Some(5));
        }
    }

    #[test]
    fn the_hosts_that_were_appended_to_last_stay() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..MAX_HOSTS + 2 {
            set(folder.path(), &format!("http://host-{number}"), 1);
        }
        let hosts = LastAppends::read(folder.path()).hosts;
        assert_eq!((hosts.len(), hosts[0].url.as_str()), (MAX_HOSTS, "http://host-2"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_that_nobody_sees() {
        let folder = tempfile::tempdir().unwrap();
        // A file where the folder should be: root, too, cannot write there.
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        LastAppends::update(&file, "http://a".to_owned(), |_| Some(1)).unwrap_err();
        assert_eq!(LastAppends::read(&file), LastAppends::default());
    }
}
