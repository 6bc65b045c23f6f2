//! The commits of git repositories, to be searched by their words, authors, files and issues.

use std::collections::BTreeSet;

use gnomon_sdk::{
    chrono::{DateTime, FixedOffset},
    prelude::*,
};
use serde::Deserialize;

/// What happens to a repository. The stream is `repository-…`.
#[derive(Events)]
pub enum RepositoryEvent {
    /// A commit becomes part of its history.
    #[event("CommitMade")]
    CommitMade(CommitMade),
}

/// A commit. The time of its event is when its author made it, as here, but in UTC.
#[derive(Deserialize)]
pub struct CommitMade {
    hash: String,
    author: String,
    /// With the offset of the author's clock: `2016-08-28T01:37:12-04:00`.
    authored_at: DateTime<FixedOffset>,
    message: String,
    files: Vec<String>,
}

/// A commit of a repository.
#[derive(Table)]
#[table("commits")]
#[index("words", full_text(language = "english", columns(title = "A", body = "B")))]
#[index("by_author", columns(author, made_at))]
#[index("touches", gin(files, folders, issues))]
pub struct Commit {
    /// The stream without `repository-`.
    #[key]
    pub repository: String,
    /// The hash of the commit.
    #[key]
    pub hash: String,
    /// The first line of the message.
    pub title: String,
    /// The rest of the message; empty if it has one line.
    pub body: String,
    /// The author's name, in whatever case it was written.
    pub author: CiText,
    /// When the author made it.
    pub made_at: Timestamp,
    /// What the author's clock showed then.
    pub local_time: LocalTimestamp,
    /// The time of day on the author's clock.
    pub time_of_day: TimeOfDay,
    /// The files that it changed, by their paths.
    pub files: Vec<String>,
    /// The folders of these files, and the folders that those are in.
    pub folders: Vec<String>,
    /// The issues and pull requests of the repository that the message names: 7 for `#7`.
    pub issues: Vec<i64>,
}

/// Keeps the table of commits.
pub struct Commits;

impl Projection for Commits {
    type Event = RepositoryEvent;
    type Tables = Commit;

    const CATEGORIES: &'static [&'static str] = &["repository"];
    const PARTITIONED_BY: Option<Partition> = Some(Partition::Stream);

    fn handle(event: &Event<RepositoryEvent>, rows: &mut Rows) -> Result<(), Failure> {
        let RepositoryEvent::CommitMade(commit) = &event.data;
        let (title, body) = title_and_body(&commit.message);
        let local_time = commit.authored_at.naive_local();
        rows.put(Commit {
            repository: event.stream_id().to_owned(),
            hash: commit.hash.clone(),
            title: title.to_owned(),
            body: body.to_owned(),
            author: commit.author.clone().into(),
            made_at: event.time,
            local_time,
            time_of_day: local_time.time(),
            files: commit.files.clone(),
            folders: folders(&commit.files),
            issues: issues(&commit.message),
        });
        Ok(())
    }
}

/// The first line of a message, and the rest without the empty lines around it.
fn title_and_body(message: &str) -> (&str, &str) {
    let message = message.trim();
    let (title, body) = message.split_once('\n').unwrap_or((message, ""));
    (title.trim_end(), body.trim_start())
}

/// Every folder that one of these files is in: `crates` and `crates/ignore` for `crates/ignore/README.md`.
fn folders(files: &[String]) -> Vec<String> {
    let parents = |file: &String| file.match_indices('/').map(|(end, _)| file[..end].to_owned()).collect::<Vec<_>>();
    let folders: BTreeSet<String> = files.iter().flat_map(parents).collect();
    folders.into_iter().collect()
}

/// The numbers of a message that stand after a `#`. In `rust-lang/rust#7`, it is an issue of another repository.
fn issues(message: &str) -> Vec<i64> {
    let mut issues = BTreeSet::new();
    let mut before = None;
    for (at, character) in message.char_indices() {
        if character == '#' && !before.is_some_and(char::is_alphanumeric) {
            let digits = message[at + 1..].split(|digit: char| !digit.is_ascii_digit()).next();
            issues.extend(digits.and_then(|digits| digits.parse::<i64>().ok()));
        }
        before = Some(character);
    }
    issues.into_iter().collect()
}

gnomon_sdk::export! {
    /// The commits of git repositories. The index `words` searches titles and bodies in English.
    Commits
}
