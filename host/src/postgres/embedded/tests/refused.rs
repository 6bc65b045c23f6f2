//! Starts that fail, and their errors.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::hosts::Host;
use super::*;

async fn refusal(config: EmbeddedConfig) -> EmbeddedError {
    EmbeddedPostgres::start(config).await.unwrap_err()
}

#[tokio::test]
async fn a_second_host_is_told_of_the_first() {
    let data_dir = data_dir();
    let mut first = Host::serving(data_dir.path());
    let server = first.ready();
    let error = refusal(config(data_dir.path())).await;
    assert!(matches!(&error, EmbeddedError::InUse { pid: Some(pid), .. } if *pid == first.pid()), "{error}");
    assert!(is_alive(server));
    first.finish();
}

#[tokio::test]
async fn only_a_host_of_root_refuses_a_folder_that_others_may_not_enter() {
    let folder = data_dir();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let result = EmbeddedPostgres::start(config(&folder.path().join("data"))).await;
    if nix::unistd::geteuid().is_root() {
        let error = result.unwrap_err();
        let closed = folder.path().canonicalize().unwrap();
        assert!(matches!(&error, EmbeddedError::Unreachable { folder, .. } if *folder == closed), "{error}");
    } else {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_cluster_of_a_version_that_this_machine_lacks_is_refused() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let cluster = postgres.layout.cluster();
    postgres.stop().await.unwrap();
    fs::write(cluster.join("PG_VERSION"), "7\n").unwrap();

    let mut config = config(data_dir.path());
    config.pg_bin = None;
    let error = refusal(config).await;
    assert!(matches!(error, EmbeddedError::OtherMajor { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("made by PostgreSQL 7") && text.contains("set PG_BIN"), "{text}");
}

#[tokio::test]
async fn a_lost_password_is_named() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let password = postgres.layout.password();
    let kept = fs::read(&password).unwrap();
    postgres.stop().await.unwrap();

    fs::write(&password, "of another cluster").unwrap();
    let error = refusal(config(data_dir.path())).await;
    assert!(matches!(&error, EmbeddedError::Password { path, .. } if *path == password), "{error}");

    fs::remove_file(&password).unwrap();
    let error = refusal(config(data_dir.path())).await;
    assert!(matches!(&error, EmbeddedError::Password { path, .. } if *path == password), "{error}");

    fs::write(&password, kept).unwrap();
    start(data_dir.path()).await;
}

#[tokio::test]
async fn the_error_of_a_failed_start_has_the_end_of_the_log() {
    let data_dir = data_dir();
    let postgres = start(data_dir.path()).await;
    let conf = postgres.layout.cluster().join("postgresql.conf");
    postgres.stop().await.unwrap();
    let content = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, format!("{content}no_such_setting = on\n")).unwrap();

    let error = refusal(config(data_dir.path())).await;
    assert!(matches!(&error, EmbeddedError::Ended { output, .. } if output.contains("no_such_setting")), "{error}");
}

#[tokio::test]
async fn the_error_of_a_failed_initdb_has_its_output_and_nothing_is_left() {
    let data_dir = data_dir();
    let user = user::ServerUser::choose(&data_dir.path().join("none")).unwrap();
    let search = locate::Search::of_this_machine(config(data_dir.path()).pg_bin);
    let real = search.find(None, &user).unwrap().chosen.expect("these tests need a PostgreSQL in the PATH or so");
    let bin = data_dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(real.postgres(), bin.join("postgres")).unwrap();
    // `false` is a program that fails; a program that we write may still be open in a fork of another test.
    std::os::unix::fs::symlink("/usr/bin/false", bin.join("initdb")).unwrap();

    let mut config = config(data_dir.path());
    config.pg_bin = Some(bin);
    let error = refusal(config).await;
    assert!(matches!(error, EmbeddedError::Initdb { .. }), "{error}");
    let names = |folder: &Path| -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let left = names(&data_dir.path().join("postgres"));
    assert!(!left.iter().any(|name| name == "cluster" || name.starts_with("new-")), "{left:?}");
}

#[tokio::test]
async fn a_start_times_out() {
    let data_dir = data_dir();
    let mut config = config(data_dir.path());
    config.start_timeout = Duration::ZERO;
    let error = refusal(config).await;
    assert!(matches!(error, EmbeddedError::NotReady { .. }), "{error}");
    // The server of the failed start does not prevent the next.
    start(data_dir.path()).await;
}
