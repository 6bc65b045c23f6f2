//! With real servers. Hosts that get killed are processes of their own: this test program, run again.

mod hosts;
mod killed;
mod life;
mod refused;
mod test_databases;

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::*;

/// A data directory that every user may enter, unlike temporary folders of root.
fn data_dir() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Without durability, which takes half a second at each start: no test here crashes the machine.
fn config(data_dir: &Path) -> EmbeddedConfig {
    let mut config = EmbeddedConfig::from_env(data_dir);
    config.durability = Durability::Off;
    config
}

async fn start(data_dir: &Path) -> EmbeddedPostgres {
    EmbeddedPostgres::start(config(data_dir)).await.unwrap()
}

/// For tests that kill the server itself.
async fn start_durable(data_dir: &Path) -> EmbeddedPostgres {
    EmbeddedPostgres::start(EmbeddedConfig::from_env(data_dir)).await.unwrap()
}

async fn connect(postgres: &EmbeddedPostgres) -> PgConnection {
    PgConnection::connect_with(&postgres.connect_options()).await.unwrap()
}

/// Writes a row that a later [`read_row`] expects.
async fn write_row(postgres: &EmbeddedPostgres) {
    let mut connection = connect(postgres).await;
    sqlx::raw_sql("create table kept (id int primary key); insert into kept values (4711)")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn read_row(postgres: &EmbeddedPostgres) -> i32 {
    sqlx::query_scalar("select id from kept").fetch_one(&mut connect(postgres).await).await.unwrap()
}

/// Waits for a condition, and fails after a minute.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is running. A zombie is not: it has ended.
fn is_alive(pid: i32) -> bool {
    if nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_err() {
        return false;
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Member {
    pid: i32,
    parent: i32,
    name: String,
}

/// The processes in a group, without zombies.
#[cfg(target_os = "linux")]
fn group(id: i32) -> Vec<Member> {
    let mut members = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        // After the name: state, parent, group.
        let fields: Vec<&str> = tail.split_whitespace().collect();
        if fields[0] != "Z" && fields[2] == id.to_string() {
            let name = head.split_once('(').unwrap().1.to_owned();
            members.push(Member { pid, parent: fields[1].parse().unwrap(), name });
        }
    }
    members
}

fn kill_hard(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}
