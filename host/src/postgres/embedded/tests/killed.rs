//! After any process is killed, the next start works and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::hosts::Host;
use super::*;

#[tokio::test]
async fn a_killed_server_is_noticed_and_comes_back_with_all_it_had() {
    let data_dir = data_dir();
    let postgres = start_durable(data_dir.path()).await;
    write_row(&postgres).await;
    kill_hard(postgres.server.pid());
    let exit = postgres.exited().await;
    assert_eq!(exit.pid, postgres.server.pid());
    assert!(exit.to_string().contains("SIGKILL"), "{exit}");
    assert!(postgres.stop().await.is_err(), "the server did not stop in an orderly way");

    let postgres = start_durable(data_dir.path()).await;
    assert_eq!(read_row(&postgres).await, 4711);
}

#[tokio::test]
async fn a_server_is_waited_for_until_the_last_backend_of_the_one_before_has_gone() {
    let data_dir = data_dir();
    let postgres = start_durable(data_dir.path()).await;
    write_row(&postgres).await;
    let mut connection = connect(&postgres).await;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    // A stopped backend does not notice that its postmaster is dead.
    let backend = nix::unistd::Pid::from_raw(backend);
    nix::sys::signal::kill(backend, nix::sys::signal::Signal::SIGSTOP).unwrap();
    kill_hard(postgres.server.pid());
    drop(postgres);

    let log = data_dir.path().join("postgres/postgres.log");
    let (starting, _) = tokio::join!(start_durable(data_dir.path()), async {
        while !fs::read_to_string(&log).unwrap_or_default().contains("pre-existing shared memory block") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        nix::sys::signal::kill(backend, nix::sys::signal::Signal::SIGCONT).unwrap();
    });
    assert_eq!(read_row(&starting).await, 4711);
}

#[tokio::test]
async fn a_server_ends_with_its_killed_host_and_the_next_host_starts_at_once() {
    let data_dir = data_dir();
    let mut host = Host::serving(data_dir.path());
    let server = host.ready();
    host.kill();
    let postgres = start(data_dir.path()).await;
    assert_ne!(postgres.server.pid(), server);
    assert!(!is_alive(server));
}

#[tokio::test]
async fn a_server_ends_with_its_killed_host_when_no_other_comes() {
    let data_dir = data_dir();
    let mut host = Host::serving(data_dir.path());
    let server = host.ready();
    host.kill();
    wait_until("the server ends", || !is_alive(server));
    let log = fs::read_to_string(data_dir.path().join("postgres/postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request") && log.contains("is shut down"), "in order: {log}");
    #[cfg(target_os = "linux")]
    wait_until("the watcher ends", || group(server).is_empty());
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_server_whose_watcher_and_host_are_killed_is_replaced() {
    let data_dir = data_dir();
    let mut host = Host::serving(data_dir.path());
    let server = host.ready();
    let mut watchers: Vec<Member> = group(server).into_iter().filter(|member| member.name == "sh").collect();
    let watcher = watchers.pop().unwrap();
    assert!(watchers.is_empty(), "{watchers:?}");
    assert_ne!(watcher.parent, server, "Postgres would take its death for a backend's crash");
    kill_hard(watcher.pid);
    wait_until("the watcher is gone", || !is_alive(watcher.pid));
    assert!(is_alive(server), "the watcher's death is not the server's");
    host.kill();
    assert!(is_alive(server), "neither host nor watcher is left to end it");

    let postgres = start(data_dir.path()).await;
    assert!(!is_alive(server));
    connect(&postgres).await;
    // It was stopped by a signal, and not because its files were removed, which Postgres notices after a minute.
    let log = fs::read_to_string(data_dir.path().join("postgres/postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
}

#[tokio::test]
async fn a_pid_file_that_names_another_process_does_not_prevent_the_start() {
    let data_dir = data_dir();
    let postgres = start_durable(data_dir.path()).await;
    write_row(&postgres).await;
    let pid_file = postgres.layout.cluster().join("postmaster.pid");
    let content = fs::read_to_string(&pid_file).unwrap();
    kill_hard(postgres.server.pid());
    postgres.exited().await;
    drop(postgres);
    // As after the restart of a container: the number is that of another process now.
    let (_, rest) = content.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();

    assert_eq!(read_row(&start_durable(data_dir.path()).await).await, 4711);
}

#[tokio::test]
async fn a_host_killed_while_the_database_is_made_leaves_none() {
    let data_dir = data_dir();
    let home = data_dir.path().join("postgres");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(&home).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let half_made = || names().into_iter().find(|name| name.starts_with("new-cluster"));

    let host = Host::serving(data_dir.path());
    // The file tells Postgres that a cluster is there. `initdb` writes it early.
    wait_until("initdb is at work", || half_made().is_some_and(|name| home.join(name).join("PG_VERSION").exists()));
    host.kill();
    assert!(!home.join("cluster").exists(), "the host was killed too late for this test");

    let postgres = start(data_dir.path()).await;
    connect(&postgres).await;
    postgres.stop().await.unwrap();
    // The first start after may have come while initdb was still about to die.
    let postgres = start(data_dir.path()).await;
    assert_eq!(half_made(), None);
    postgres.stop().await.unwrap();
}

#[test]
fn a_killed_tests_database_goes_with_its_files() {
    let data_dir = data_dir();
    for kill in [true, false] {
        let temporary = data_dir.path().join(format!("tmp-{kill}"));
        fs::create_dir(&temporary).unwrap();
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777)).unwrap();
        let mut host = Host::testing(&temporary);
        let backend = host.ready();
        let folders = || fs::read_dir(&temporary).unwrap().count();
        assert_eq!(folders(), 1);
        assert!(is_alive(backend));
        if kill {
            host.kill();
        } else {
            host.finish();
        }
        wait_until("the server ends", || !is_alive(backend));
        wait_until("its folder is removed", || folders() == 0);
    }
}
