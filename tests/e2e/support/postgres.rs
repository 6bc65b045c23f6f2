//! A Postgres for one test, which may break it.

use std::{fs, io::Write, os::unix::fs::PermissionsExt};

use gnomon::postgres::embedded::{EmbeddedConfig, EmbeddedPostgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// A private server that keeps what operators rely on: however it ends, no commit that was answered is lost, except those under
/// `synchronous_commit = off`.
pub(crate) struct Postgres {
    server: Option<EmbeddedPostgres>,
    url: String,
    folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server runs as another user, who cannot enter a temporary folder of root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let server = EmbeddedPostgres::start(EmbeddedConfig::from_env(folder.path())).await.unwrap();
        let started = Self { url: server.url(), server: Some(server), folder };
        started.turn_fsync_off();
        started
    }

    /// Turns fsync off: what a process has written to the kernel survives its end, and the machine does not lose power during a
    /// test. With fsync, each recovery would first sync every file.
    fn turn_fsync_off(&self) {
        let settings = self.folder.path().join("postgres/cluster/postgresql.conf");
        let mut settings = fs::OpenOptions::new().append(true).open(settings).unwrap();
        settings.write_all(b"fsync = off\n").unwrap();
        kill(self.postmaster(), Signal::SIGHUP).unwrap();
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it with a signal: `SIGINT` stops it in order, `SIGQUIT` at once, and `SIGKILL` kills it.
    pub(crate) async fn end(&mut self, signal: Signal) {
        let server = self.server.take().unwrap();
        kill(self.postmaster(), signal).unwrap();
        server.exited().await;
    }

    /// Starts it again after [`Postgres::end`], on the same files and the same port.
    pub(crate) async fn start_again(&mut self) {
        let server = EmbeddedPostgres::start(EmbeddedConfig::from_env(self.folder.path())).await.unwrap();
        assert_eq!(server.url(), self.url, "another program has taken the port");
        self.server = Some(server);
    }

    /// The main process of the server.
    fn postmaster(&self) -> Pid {
        let file = fs::read_to_string(self.folder.path().join("postgres/cluster/postmaster.pid")).unwrap();
        Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
    }

    /// Freezes all its processes, as a hypervisor or a lost machine would, until the returned value is dropped.
    pub(crate) fn freeze(&self) -> Frozen {
        let postmaster = self.postmaster();
        // The postmaster first, so that it starts no further one.
        kill(postmaster, Signal::SIGSTOP).unwrap();
        let mut processes = vec![postmaster];
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // What ends meanwhile has no file any more.
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
            if parent == Some(postmaster.as_raw()) && kill(Pid::from_raw(pid), Signal::SIGSTOP).is_ok() {
                processes.push(Pid::from_raw(pid));
            }
        }
        Frozen(processes)
    }

    /// Kills the process of one session of the hosts; `pick` chooses its index. The server then ends all other sessions and
    /// recovers, as after a crash. Returns whether a session was killed.
    pub(crate) async fn kill_session(&self, pick: impl FnOnce(usize) -> usize) -> bool {
        let options = self.server.as_ref().unwrap().connect_options();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        let sessions: Vec<i32> =
            sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = 'gnomon' ORDER BY pid")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        if sessions.is_empty() {
            return false;
        }
        // The session may have ended by itself since it was listed.
        kill(Pid::from_raw(sessions[pick(sessions.len())]), Signal::SIGKILL).is_ok()
    }
}

/// Processes that are frozen.
pub(crate) struct Frozen(Vec<Pid>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill(*pid, Signal::SIGCONT);
        }
    }
}
