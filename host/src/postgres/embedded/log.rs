//! The server's log: a file whose size is bounded.
//!
//! Postgres's own collector rotates by size, but never deletes, and would not have what the server prints before the collector
//! runs: the reason of a failed start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// Two files of at most about this size are kept.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How often the size of the log is checked.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Bytes of the log that an error message shows at most.
const TAIL_BYTES: u64 = 4096;

/// The log, from where the current server began to write.
#[derive(Clone, Debug)]
pub(super) struct ServerLog {
    path: PathBuf,
    since: u64,
}

impl ServerLog {
    /// Opens the log for a program that writes to it.
    pub(super) fn open(path: PathBuf) -> io::Result<(Self, File)> {
        let log = Self { path, since: 0 };
        log.rotate_if_longer_than(MAX_BYTES)?;
        // A file that is opened to append can be truncated while the server writes.
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&log.path)?;
        let since = file.metadata()?.len();
        Ok((Self { since, ..log }, file))
    }

    /// The last lines of the current server, or the error of reading them.
    pub(super) fn tail(&self) -> String {
        self.read(TAIL_BYTES).unwrap_or_else(|error| format!("(cannot read {}: {error})", self.path.display()))
    }

    pub(super) fn last_line(&self) -> String {
        self.tail().lines().next_back().unwrap_or_default().to_owned()
    }

    fn read(&self, bytes: u64) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        // A shorter file has been truncated since.
        let since = if length < self.since { 0 } else { self.since };
        let start = since.max(length.saturating_sub(bytes));
        file.seek(SeekFrom::Start(start))?;
        let mut text = Vec::new();
        file.take(bytes).read_to_end(&mut text)?;
        let mut text = String::from_utf8_lossy(&text).trim_end().to_owned();
        if start > since
            && let Some(line) = text.find('\n')
        {
            text.drain(..=line);
        }
        Ok(text)
    }

    fn rotate_if_longer_than(&self, bytes: u64) -> io::Result<()> {
        match fs::metadata(&self.path) {
            Ok(metadata) if metadata.len() > bytes => {
                // The server keeps the file open, so it is copied and truncated. Lines written between the two are lost.
                fs::copy(&self.path, self.path.with_extension("log.1"))?;
                OpenOptions::new().write(true).open(&self.path)?.set_len(0)
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Rotates the log whenever it has grown too long. Runs until it is aborted.
    pub(super) async fn keep_short(self) {
        let mut interval = tokio::time::interval(CHECK_EVERY);
        loop {
            interval.tick().await;
            let log = self.clone();
            let rotated = tokio::task::spawn_blocking(move || log.rotate_if_longer_than(MAX_BYTES)).await;
            if let Ok(Err(error)) = rotated {
                tracing::warn!(path = %self.path.display(), %error, "cannot rotate the log of Postgres");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_tail_begins_with_the_current_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, "of an earlier one\n").unwrap();
        let (log, mut file) = ServerLog::open(path).unwrap();
        assert_eq!(log.tail(), "");
        writeln!(file, "first\nlast").unwrap();
        assert_eq!(log.tail(), "first\nlast");
        assert_eq!(log.last_line(), "last");
    }

    #[test]
    fn a_long_tail_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let (log, mut file) = ServerLog::open(folder.path().join("postgres.log")).unwrap();
        for number in 0..1000 {
            writeln!(file, "line {number}").unwrap();
        }
        let tail = log.tail();
        assert!(tail.len() < 4096 && tail.starts_with("line ") && tail.ends_with("line 999"), "{tail}");
    }

    #[test]
    fn a_long_log_is_rotated_while_the_server_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        let (log, mut file) = ServerLog::open(path.clone()).unwrap();
        writeln!(file, "before").unwrap();
        log.rotate_if_longer_than(100).unwrap();
        assert!(!folder.path().join("postgres.log.1").exists());
        log.rotate_if_longer_than(1).unwrap();
        writeln!(file, "after").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
        assert_eq!(fs::read_to_string(folder.path().join("postgres.log.1")).unwrap(), "before\n");
    }
}
