//! A host that has few file descriptors, and none left.

use std::{process::Command, sync::Arc};

use gnomon::postgres::test_database::TestDatabase;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::net::TcpStream;

use crate::{
    program::{HostProcess, gnomon},
    support::until,
};

/// The program, with these limits of open files.
fn limited(soft: u64, hard: u64) -> Command {
    let program = gnomon();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit -S -n {soft}; ulimit -H -n {hard}; exec \"$0\" \"$@\"")])
        .arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

async fn connect(host: &HostProcess, count: usize) -> Vec<TcpStream> {
    let address = host.url().strip_prefix("http://").unwrap();
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_beyond_what_the_process_can_open_keep_nobody_out() {
    let database = TestDatabase::create().await;
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let arguments = ["--max-connections".to_owned(), "4".to_owned()];
    let host = HostProcess::start_by(limited(64, 280), &database.url(), folder, &arguments).await;
    let pid = Pid::from_raw(i32::try_from(host.child.id()).unwrap()).unwrap();
    let keep = Rlimit { current: Some(280), maximum: Some(280) };
    let raised = prlimit(Some(pid), Resource::Nofile, keep).unwrap();
    assert_eq!((raised.current, raised.maximum), (Some(280), Some(280)), "the host raises its limit");

    // More than it can have.
    let idle = connect(&host, 400).await;
    assert_eq!(host.get("/health/ready").await.status, 200);
    host.append_one("a-1", "A", serde_json::json!(1)).await;

    // From here on it gets no descriptor at all, which ends neither the listener nor the host.
    drop(idle);
    let none = Rlimit { current: Some(3), maximum: Some(280) };
    prlimit(Some(pid), Resource::Nofile, none).unwrap();
    let _waiting = connect(&host, 20).await;
    until("the host says that it cannot accept", async || host.has_logged("no connection can be accepted")).await;
    prlimit(Some(pid), Resource::Nofile, keep).unwrap();
    until("it answers again", async || {
        host.try_send(host.request(reqwest::Method::GET, "/health/live")).await.is_ok_and(|answer| answer.status == 200)
    })
    .await;
}
