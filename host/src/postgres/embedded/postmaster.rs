//! Reads `postmaster.pid`, and ends the server of an earlier host.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::config::{EmbeddedConfig, StartProgress};
use super::error::EmbeddedError;

/// How long to wait for the server of an earlier host to end by itself before it gets a signal. Its watcher (`leash.sh`) has
/// sent one already, unless the watcher was killed.
const GRACE: Duration = Duration::from_secs(3);

const POLL: Duration = Duration::from_millis(20);

/// What a server writes about itself into its cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    pub(super) is_ready: bool,
}

impl PidFile {
    pub(super) fn read(cluster: &Path) -> Result<Option<Self>, EmbeddedError> {
        let path = path(cluster);
        match fs::read_to_string(&path) {
            Ok(content) => Ok(Self::parse(&content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &path)(error)),
        }
    }

    /// Lines: pid, cluster, start time, port, socket folder, listen address, shared memory, status. The server adds them
    /// one after the other as it starts, so any of them may be missing.
    fn parse(content: &str) -> Option<Self> {
        let lines: Vec<&str> = content.lines().map(str::trim).collect();
        // Negative while `initdb` or a single-user server is at work.
        let pid = lines.first()?.parse::<i32>().ok()?.checked_abs().filter(|pid| *pid > 0)?;
        Some(Self { pid, is_ready: lines.get(7) == Some(&"ready") })
    }
}

fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// Ends a server that runs on a cluster. The caller holds the host's lock, so such a server has no host any more.
pub(super) async fn end_predecessor(cluster: &Path, config: &EmbeddedConfig) -> Result<(), EmbeddedError> {
    let Some(PidFile { pid, .. }) = PidFile::read(cluster)? else { return Ok(()) };
    if serves(pid, cluster) {
        tracing::info!(pid, cluster = %cluster.display(), "waiting for the PostgreSQL of an earlier host to end");
        config.report(StartProgress::WaitingForPredecessor { pid });
        let steps = [
            (None, GRACE),
            (Some(Signal::SIGINT), config.stop_timeout),
            (Some(Signal::SIGQUIT), Duration::from_secs(10)),
        ];
        let mut gone = false;
        for (signal, timeout) in steps {
            if let Some(signal) = signal {
                tracing::warn!(pid, "ending the PostgreSQL of an earlier host ({signal})");
                let _ = kill(Pid::from_raw(pid), signal);
            }
            gone = ends_within(timeout, pid, cluster).await;
            if gone {
                break;
            }
        }
        if !gone {
            return Err(EmbeddedError::Predecessor { pid, cluster: cluster.to_owned() });
        }
    }
    // Postgres believes a stale file if any process of the same user (on Linux, any thread) now has that number. After the
    // restart of a container that is likely: numbers begin at 1 again, and the host's own threads have the low ones.
    match fs::remove_file(path(cluster)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(EmbeddedError::io("remove", &path(cluster))(error)),
    }
}

async fn ends_within(timeout: Duration, pid: i32, cluster: &Path) -> bool {
    let deadline = Instant::now() + timeout;
    while serves(pid, cluster) {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

/// Whether a process is a running server of a cluster, by its current folder, which is the cluster.
#[cfg(target_os = "linux")]
fn serves(pid: i32, cluster: &Path) -> bool {
    // A thread of the host has such a link as well, but the host is not in that folder. A zombie has none.
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    // `cluster` may be a path with a symbolic link.
    folder.is_ok_and(|folder| cluster.canonicalize().is_ok_and(|cluster| folder == cluster))
}

/// Whether a process is a running server of a cluster, by its command line, since there is no `/proc`.
#[cfg(not(target_os = "linux"))]
fn serves(pid: i32, cluster: &Path) -> bool {
    let output = std::process::Command::new("ps").args(["-p", &pid.to_string(), "-o", "command="]).output();
    output.is_ok_and(|output| {
        let command = String::from_utf8_lossy(&output.stdout).into_owned();
        command.contains("postgres") && command.contains(&*cluster.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_read_as_far_as_it_is_written() {
        let whole = "4711\n/data/cluster\n1763683200\n15432\n\n127.0.0.1\n  5432001    32768\nready   \n";
        assert_eq!(PidFile::parse(whole), Some(PidFile { pid: 4711, is_ready: true }));
        let starting = whole.replace("ready   ", "starting");
        assert_eq!(PidFile::parse(&starting), Some(PidFile { pid: 4711, is_ready: false }));
        assert_eq!(PidFile::parse("4711\n/data"), Some(PidFile { pid: 4711, is_ready: false }));
        assert_eq!(PidFile::parse("-4711\n"), Some(PidFile { pid: 4711, is_ready: false }));
        for content in ["", "\n", "0\n", "postgres\n", "-2147483648\n"] {
            assert_eq!(PidFile::parse(content), None, "{content:?}");
        }
    }

    #[tokio::test]
    async fn a_pid_file_that_names_another_program_is_removed_and_the_program_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = folder.path().canonicalize().unwrap();
        let mut other = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        fs::write(path(&cluster), format!("{}\n{}\n", other.id(), cluster.display())).unwrap();

        let started = Instant::now();
        end_predecessor(&cluster, &EmbeddedConfig::new(folder.path())).await.unwrap();
        assert!(started.elapsed() < GRACE, "another program is not waited for");

        assert!(!path(&cluster).exists());
        assert_eq!(other.try_wait().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
