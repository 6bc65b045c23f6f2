//! A Postgres for one test, which may break it.

use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use gnomon::postgres::embedded::{EmbeddedConfig, EmbeddedPostgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use test_support::until;

use super::{clock::Clock, disk::Disk};

/// A private server that keeps what operators rely on: however it ends, no commit that was answered is lost, except those under
/// `synchronous_commit = off`.
pub(crate) struct Postgres {
    server: Option<EmbeddedPostgres>,
    url: String,
    /// The folder of programs that have the clock of the test.
    programs: Option<PathBuf>,
    /// Its disk, if it has one for itself.
    disk: Option<Disk>,
    folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The server runs as another user, who cannot enter a temporary folder of root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let disk = Disk::mount(folder.path());
        let server = EmbeddedPostgres::start(EmbeddedConfig::from_env(folder.path())).await.unwrap();
        let started = Self { url: server.url(), server: Some(server), programs: None, disk, folder };
        started.set_up();
        started
    }

    /// Turns fsync off: what a process has written to the kernel survives its end, and the machine does not lose power during a
    /// test. With fsync, each recovery would first sync every file. And keeps no more WAL than it needs, since its disk may be memory.
    fn set_up(&self) {
        let settings = self.cluster().join("postgresql.conf");
        let mut settings = fs::OpenOptions::new().append(true).open(settings).unwrap();
        settings.write_all(b"fsync = off\nmax_wal_size = '256MB'\nmin_wal_size = '32MB'\n").unwrap();
        kill(self.postmaster(), Signal::SIGHUP).unwrap();
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn cluster(&self) -> PathBuf {
        self.folder.path().join("postgres/cluster")
    }

    /// Starts it again with a clock that the test steps.
    pub(crate) async fn restart_with_clock(&mut self, clock: &Clock) {
        let postgres = fs::read_link(format!("/proc/{}/exe", self.postmaster())).unwrap();
        let programs = self.folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        symlink(postgres.with_file_name("initdb"), programs.join("initdb")).unwrap();
        let export = |(name, value): &(String, String)| format!("export {name}='{value}'\n");
        let exports: String = clock.environment().iter().map(export).collect();
        let script = format!("#!/bin/sh\n{exports}exec '{}' \"$@\"\n", postgres.display());
        fs::write(programs.join("postgres"), script).unwrap();
        fs::set_permissions(programs.join("postgres"), fs::Permissions::from_mode(0o755)).unwrap();
        self.programs = Some(programs);
        self.end(Signal::SIGINT).await;
        self.start_again().await;
    }

    /// Ends it with a signal: `SIGINT` stops it in order, `SIGQUIT` at once, and `SIGKILL` kills it.
    pub(crate) async fn end(&mut self, signal: Signal) {
        let server = self.server.take().unwrap();
        kill(self.postmaster(), signal).unwrap();
        server.exited().await;
    }

    /// Starts it again after [`Postgres::end`], on the same files and the same port.
    pub(crate) async fn start_again(&mut self) {
        // Of the one that has ended, it keeps the folder from others.
        self.server = None;
        let mut config = EmbeddedConfig::from_env(self.folder.path());
        if self.programs.is_some() {
            config.pg_bin.clone_from(&self.programs);
        }
        let server = EmbeddedPostgres::start(config).await.unwrap();
        assert_eq!(server.url(), self.url, "another program has taken the port");
        self.server = Some(server);
    }

    /// The main process of the server.
    fn postmaster(&self) -> Pid {
        let file = fs::read_to_string(self.cluster().join("postmaster.pid")).unwrap();
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

    /// A session of the superuser in the database of the hosts, whatever the database's defaults are.
    pub(crate) async fn administer(&self) -> PgConnection {
        let options = PgConnectOptions::from_str(&self.url).unwrap().username("postgres");
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        connection.execute("SET default_transaction_read_only = off").await.unwrap();
        connection
    }

    /// The processes of the sessions of hosts.
    async fn sessions(&self) -> Vec<i32> {
        let mut connection = self.administer().await;
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'gnomon%' ORDER BY pid")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }

    /// Kills the process of one session of the hosts; `pick` chooses its index. The server then ends all other sessions, which has begun
    /// when this returns, and recovers, as after a crash. Returns whether a session was killed.
    pub(crate) async fn kill_session(&self, pick: impl FnOnce(usize) -> usize) -> bool {
        let mut other = self.administer().await;
        let sessions = self.sessions().await;
        // The session may have ended by itself since it was listed.
        if sessions.is_empty() || kill(Pid::from_raw(sessions[pick(sessions.len())]), Signal::SIGKILL).is_err() {
            return false;
        }
        until("the server ends its sessions", async || other.execute("SELECT 1").await.is_err()).await;
        true
    }

    /// Terminates those sessions of the hosts that `pick` chooses, as administrators do, and waits until they have ended.
    pub(crate) async fn terminate_sessions(&self, mut pick: impl FnMut() -> bool) {
        let chosen: Vec<i32> = self.sessions().await.into_iter().filter(|_| pick()).collect();
        let mut connection = self.administer().await;
        sqlx::query("SELECT pg_terminate_backend(pid, 60000) FROM unnest($1::int[]) AS session (pid)")
            .bind(chosen)
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// What its sessions do and wait for, and who has which subscription.
    pub(crate) async fn say_how_it_is(&self) -> String {
        let mut connection = self.administer().await;
        let mut said = String::new();
        for table in [
            "SELECT pid, pg_blocking_pids(pid) AS blocked_by, state, wait_event, clock_timestamp() - xact_start AS in_transaction,
                    clock_timestamp() - state_change AS since, left(query, 200) AS query
             FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY xact_start",
            "SELECT *, clock_timestamp() AS now FROM gnomon.subscriptions ORDER BY 1",
            "SELECT classid, objid, pid, mode, granted FROM pg_locks WHERE locktype = 'advisory'",
        ] {
            let rows = format!("SELECT coalesce(string_agg(row_to_json(found)::text, E'\\n'), '') FROM ({table}) AS found");
            let rows: String = sqlx::query_scalar(&rows).fetch_one(&mut connection).await.unwrap();
            said += &rows;
            said += "\n\n";
        }
        said
    }

    /// Makes new transactions of all sessions read-only, or of those that begin from now on; or undoes that.
    pub(crate) async fn set_read_only(&self, read_only: bool, old_sessions: bool) {
        let value = if read_only { "on" } else { "off" };
        let mut connection = self.administer().await;
        if old_sessions {
            let statement = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
            connection.execute(statement.as_str()).await.unwrap();
            connection.execute("SELECT pg_reload_conf()").await.unwrap();
        } else {
            let statement = format!("ALTER DATABASE gnomon SET default_transaction_read_only = {value}");
            connection.execute(statement.as_str()).await.unwrap();
        }
    }

    /// Whether it has a disk of its own, which can be filled.
    pub(crate) fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Leaves so many bytes free on its disk. With `use_up_wal`, it needs new files for its WAL as well: without room for them the
    /// server ends.
    pub(crate) async fn fill_disk(&self, free: u64, use_up_wal: bool) {
        let mut connection = self.administer().await;
        self.disk.as_ref().unwrap().fill(free);
        for _ in 0..if use_up_wal { 8 } else { 0 } {
            if connection.execute("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()").await.is_err() {
                return;
            }
        }
    }

    /// Makes room on its disk. As an operator would, starts the server again if it could not live without.
    pub(crate) async fn make_room_on_disk(&mut self) {
        self.disk.as_ref().unwrap().make_room();
        until("the server has recovered, or has ended", async || {
            if self.has_ended().await {
                return true;
            }
            let options = PgConnectOptions::from_str(&self.url).unwrap();
            PgConnection::connect_with(&options).await.is_ok()
        })
        .await;
        if self.has_ended().await {
            self.start_again().await;
        }
    }

    async fn has_ended(&self) -> bool {
        let exited = self.server.as_ref().unwrap().exited();
        tokio::time::timeout(Duration::ZERO, exited).await.is_ok()
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
