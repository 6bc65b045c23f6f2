//! How one commit becomes a row.

use commits::{Commit, Commits};
use gnomon_sdk::{
    prelude::Timestamp,
    testing::{TestEvent, event, given, json},
};

fn made(message: &str, files: &[&str]) -> TestEvent {
    let data = json!({
        "hash": "ab12", "author": "Ada", "authored_at": "2016-08-28T23:37:12-04:00", "message": message, "files": files,
    });
    event("repository-sundial", "CommitMade", data).at("2016-08-29T03:37:12Z")
}

/// What the commit becomes.
fn row(message: &str, files: &[&str]) -> Commit {
    let mut rows = given::<Commits>([]).when([made(message, files)]).rows::<Commit>();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[test]
fn every_column_has_its_part() {
    let message = "dial: fix the hour\n\nIt was an hour behind.\n\nFixes #7";
    let clock = gnomon_sdk::prelude::Date::from_ymd_opt(2016, 8, 28).unwrap().and_hms_opt(23, 37, 12).unwrap();
    given::<Commits>([]).when([made(message, &["README.md", "crates/dial/src/hour.rs"])]).then_rows([Commit {
        repository: "sundial".into(),
        hash: "ab12".into(),
        title: "dial: fix the hour".into(),
        body: "It was an hour behind.\n\nFixes #7".into(),
        author: "Ada".into(),
        made_at: "2016-08-29T03:37:12Z".parse::<Timestamp>().unwrap(),
        local_time: clock,
        time_of_day: clock.time(),
        files: vec!["README.md".into(), "crates/dial/src/hour.rs".into()],
        folders: vec!["crates".into(), "crates/dial".into(), "crates/dial/src".into()],
        issues: vec![7],
    }]);
}

#[test]
fn the_first_line_is_the_title() {
    let parts = |message| {
        let row = row(message, &[]);
        (row.title, row.body)
    };
    assert_eq!(parts("One line"), ("One line".into(), String::new()));
    assert_eq!(parts("\nOne line \n"), ("One line".into(), String::new()));
    assert_eq!(parts("Title\nBody\n\n  more\n"), ("Title".into(), "Body\n\n  more".into()));
    assert_eq!(parts(""), (String::new(), String::new()));
}

#[test]
fn folders_are_named_once() {
    let folders = |files: &[&str]| row("Title", files).folders;
    assert_eq!(folders(&["a/b/c.rs", "a/b/d.rs", "a/e.rs"]), ["a", "a/b"]);
    assert_eq!(folders(&["a.rs", "b.rs", "c.rs"]), [""; 0]);
}

#[test]
fn issues_are_numbers_after_a_hash() {
    let issues = |message| row(message, &[]).issues;
    assert_eq!(issues("Fixes #12, closes #7 (#12)"), [7, 12]);
    assert_eq!(issues("see rust-lang/rust#99 and C#5"), [0; 0]);
    assert_eq!(issues("# Title, #x, #, ##3, #99999999999999999999"), [3]);
}

#[test]
fn a_commit_that_is_written_again_is_one_row() {
    given::<Commits>([made("First", &[])])
        .when([made("Second", &[])])
        .then_row(Commit { title: "Second".into(), ..row("First", &[]) });
}
