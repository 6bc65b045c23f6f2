//! Starting, stopping, starting again.

use std::net::TcpListener;

use nix::unistd::{Pid, geteuid, getpgid, getpgrp};

use super::*;
use crate::postgres::embedded::layout::Layout;

#[tokio::test]
async fn rows_and_url_are_the_same_after_a_restart() {
    let data_dir = data_dir();
    let postgres = start_durable(data_dir.path()).await;
    let (url, pid) = (postgres.url(), postgres.server.pid());
    write_row(&postgres).await;
    postgres.stop().await.unwrap();
    assert!(!is_alive(pid));
    #[cfg(target_os = "linux")]
    wait_until("the watcher ends", || group(pid).is_empty());

    let postgres = start_durable(data_dir.path()).await;
    assert_eq!(postgres.url(), url);
    assert_eq!(read_row(&postgres).await, 4711);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_is_durable_unless_told_otherwise() {
    let data_dir = data_dir();
    let postgres = start_durable(data_dir.path()).await;
    let mut connection = connect(&postgres).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("unix_socket_directories", ""),
        ("listen_addresses", "127.0.0.1"),
    ] {
        let found: String =
            sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, value, "{setting}");
    }
    postgres.stop().await.unwrap();

    let postgres = start(data_dir.path()).await;
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&mut connect(&postgres).await).await.unwrap();
    assert_eq!(fsync, "off");
}

#[tokio::test]
async fn text_is_ordered_by_code_point_and_folded_beyond_ascii() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let mut connection = connect(&postgres).await;
    let folded: bool =
        sqlx::query_scalar("select 'ÄÖÅ ŁÓDŹ ΣΟΦΙΑ' ilike 'äöå łódź σοφι_'").fetch_one(&mut connection).await.unwrap();
    assert!(folded);
    let ordered: Vec<String> =
        sqlx::query_scalar("select word from unnest(array['ä', 'b', 'Z', 'a', '_', 'é', '日']) word order by word")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(ordered, ["Z", "_", "a", "b", "ä", "é", "日"]);
}

#[tokio::test]
async fn a_locale_that_the_system_does_not_know_is_passed_over() {
    let data_dir = data_dir();
    let layout = Layout::under(data_dir.path()).unwrap();
    let user = user::ServerUser::choose(&layout.cluster()).unwrap();
    user.create_dir(layout.home()).unwrap();
    layout.write(&layout.password(), "password", 0o600, Some(&user)).unwrap();
    let found = locate::Search::of_this_machine(config(data_dir.path()).pg_bin).find(None, &user).unwrap();
    let binaries = found.chosen.expect("these tests need a PostgreSQL in the PATH or so");

    let folder = layout.home().join("some");
    let locales = [vec!["--locale=C", "--lc-ctype=xx_XX.UTF-8"], vec!["--locale=C"]];
    let fill = |locales| cluster::fill(&layout, &binaries, &user, Durability::Off, &folder, locales);
    fill(&locales).await.unwrap();
    assert!(folder.join("PG_VERSION").exists());

    std::fs::remove_dir_all(&folder).unwrap();
    let error = fill(&locales[..1]).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::Initdb { .. }), "{error}");
}

#[tokio::test]
async fn gnomons_role_owns_its_database_and_no_more() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let mut connection = connect(&postgres).await;
    let (is_super, owns): (bool, bool) = sqlx::query_as(
        "select rolsuper, rolname = (select datdba::regrole::text from pg_database where datname = current_database())
         from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!(!is_super && owns);
}

#[tokio::test]
async fn postgres_never_runs_as_root() {
    use std::os::unix::fs::MetadataExt;
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
    let cluster = owner(&postgres.layout.cluster());
    assert_ne!(cluster, 0);
    // The server writes this file itself.
    assert_eq!(owner(&postgres.layout.cluster().join("postmaster.pid")), cluster);
    // All else belongs to the host, so that the server's user cannot replace it.
    for path in [postgres.layout.home(), &postgres.layout.settings(), &postgres.layout.log(), &postgres.layout.port()] {
        assert_eq!(owner(path), geteuid().as_raw(), "{}", path.display());
    }
    let password = std::fs::metadata(postgres.layout.password()).unwrap();
    assert_eq!((password.uid(), password.mode() & 0o777), (cluster, 0o600));
}

#[tokio::test]
async fn signals_from_the_terminal_do_not_reach_postgres() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    assert_ne!(getpgid(Some(Pid::from_raw(postgres.server.pid()))).unwrap(), getpgrp());
}

#[tokio::test]
async fn dropping_stops_the_server() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    write_row(&postgres).await;
    let (pid, exited) = (postgres.server.pid(), postgres.exited());
    drop(postgres);
    assert!(!is_alive(pid));
    assert!(exited.await.end.is_success());
    assert_eq!(read_row(&start(data_dir.path()).await).await, 4711);
}

#[tokio::test]
async fn another_port_is_chosen_if_the_old_one_is_taken() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    write_row(&postgres).await;
    let port = postgres.port;
    postgres.stop().await.unwrap();

    let _other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let postgres = start(data_dir.path()).await;
    assert_ne!(postgres.port, port);
    assert_eq!(read_row(&postgres).await, 4711);
    let again = postgres.port;
    postgres.stop().await.unwrap();

    let postgres = start(data_dir.path()).await;
    assert_eq!(postgres.port, again, "the new one is remembered");
}

#[tokio::test]
async fn another_port_is_chosen_if_the_server_finds_it_taken() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let (layout, config) = (postgres.layout.clone(), config(data_dir.path()));
    postgres.stop().await.unwrap();
    let user = user::ServerUser::choose(&layout.cluster()).unwrap();
    let found = locate::Search::of_this_machine(config.pg_bin.clone()).find(None, &user).unwrap();
    let binaries = found.chosen.expect("these tests need a PostgreSQL in the PATH or so");

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().port();
    let (_server, _log, port) = start::run(&layout, &binaries, &user, &config, taken).await.unwrap();
    assert_ne!(port, taken);
}

#[tokio::test]
async fn a_role_and_a_database_that_have_gone_are_made_again() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let mut superuser = PgConnection::connect_with(&postgres.superuser_options()).await.unwrap();
    sqlx::raw_sql("drop database gnomon").execute(&mut superuser).await.unwrap();
    sqlx::raw_sql("alter role gnomon password 'other'").execute(&mut superuser).await.unwrap();
    postgres.stop().await.unwrap();
    connect(&start(data_dir.path()).await).await;
}

#[tokio::test]
async fn an_operators_settings_win() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let conf = postgres.layout.cluster().join("postgresql.conf");
    postgres.stop().await.unwrap();
    let content = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{content}work_mem = 5MB\n")).unwrap();

    let postgres = start(data_dir.path()).await;
    let work_mem: String = sqlx::query_scalar("show work_mem").fetch_one(&mut connect(&postgres).await).await.unwrap();
    assert_eq!(work_mem, "5MB");
}
