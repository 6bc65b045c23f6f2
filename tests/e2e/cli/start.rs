//! `gnomon serve` that cannot start: what it says, once, and what it leaves alone.

use std::{fs, net::TcpListener, process::Command};

use super::Said;
use crate::support::gnomon;

fn serve(arguments: &[&str]) -> Command {
    let mut command = gnomon();
    command.arg("serve").args(arguments);
    command
}

/// The last line of what the program says, which is the error.
fn error(command: &mut Command) -> String {
    let said = Said::from(command.output().unwrap());
    assert_ne!(said.code, Some(0), "{}", said.err);
    said.err.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn with_its_port_taken_it_makes_no_database() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let error = error(serve(&["--listen", &address, "--data-dir"]).arg(&data));
    assert!(error.starts_with(&format!("error: cannot listen on {address}: ")), "{error}");
    assert!(!data.exists(), "nothing is made before the port is taken");
}

#[test]
fn a_url_that_is_not_one_of_postgres_is_refused_and_not_shown() {
    for url in ["mysql://root:hunter2@db/x", "postgres://gnomon:hunter2@ss/w:o#rd@db:5432/x", "hunter2"] {
        let mut command = serve(&["--listen", "127.0.0.1:0"]);
        let said = Said::from(command.env("DATABASE_URL", url).output().unwrap());
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.starts_with("error: the database URL "), "{}", said.err);
        for piece in ["hunter2", "ss/w", "o#rd"] {
            assert!(!said.err.contains(piece), "{}", said.err);
        }
    }
}

#[test]
fn a_postgres_that_is_away_is_named_at_once_and_in_the_end_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(&["--listen", "127.0.0.1:0", "--connect-timeout", "0.3", "--data-dir"]);
    command.arg(folder.path()).env("DATABASE_URL", format!("postgres://u:hunter2@127.0.0.1:{port}/d"));
    let said = Said::from(command.output().unwrap());
    assert_eq!(said.code, Some(1), "{}", said.err);
    let lines: Vec<&str> = said.err.lines().collect();
    let first = lines.iter().find(|line| line.contains("trying again")).unwrap_or_else(|| panic!("{}", said.err));
    assert!(first.contains("Connection refused") && first.contains("until="), "{first}");
    let last = lines.last().unwrap();
    assert_eq!(last.matches("Connection refused").count(), 1, "{last}");
    assert!(
        last.starts_with(&format!("error: cannot connect to Postgres at 127.0.0.1:{port}, user u, database d: ")),
        "{last}"
    );
    assert!(!said.err.contains("hunter2") && !said.err.contains("pool timed out"), "{}", said.err);
}

#[test]
fn a_folder_that_cannot_be_used_names_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = error(serve(&["--listen", "127.0.0.1:0", "--data-dir"]).arg(file.join("below")));
    assert!(error.contains("choose another one with --data-dir"), "{error}");
}

#[test]
fn a_relative_folder_is_made_where_the_command_runs() {
    let above = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = serve(&["--listen", "127.0.0.1:0", "--connect-timeout", "0.1", "--data-dir", "fresh"]);
    command.current_dir(above.path()).env("DATABASE_URL", format!("postgres://u@127.0.0.1:{port}/d"));
    let error = error(&mut command);
    assert!(error.starts_with("error: cannot connect to Postgres"), "{error}");
    assert!(above.path().join("fresh").is_dir());
}
