//! Writes the commits of a git repository as events, one JSON object a line, oldest first. It made `data/ripgrep.jsonl.gz`, and makes
//! events of your own repository:
//!
//! ```sh
//! cargo run -p commits --example export -- <folder> <name> <range> | gnomon import -
//! ```
//!
//! Merges are left out: what they say is what was merged. E-mail addresses are left out as well, also those in messages.

use std::{
    env,
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
};

use serde_json::{Value, json};

/// Begins a commit in the output of git. Messages and paths have no such character.
const BEGIN: char = '\u{1}';

/// Hash, author, the author's clock, message; `-z` puts NUL between the files as well.
const FORMAT: &str = "--format=%x01%H%x00%an%x00%aI%x00%B%x00";

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, name, range] = &arguments[..] else {
        return Err(io::Error::other("expected the folder of a repository, a name for it, and a range such as `HEAD`"));
    };
    let mut git = Command::new("git");
    git.args(["-C", folder, "log", "--reverse", "--no-merges", "--encoding=UTF-8", "--name-only", "-z", FORMAT, range]);
    let output = git.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok(ExitCode::FAILURE);
    }
    let mut written = io::stdout().lock();
    for commit in String::from_utf8_lossy(&output.stdout).split(BEGIN).skip(1) {
        let event = event(name, commit).ok_or_else(|| io::Error::other(format!("not a commit: {commit:?}")))?;
        writeln!(written, "{event}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The event of a commit.
fn event(repository: &str, commit: &str) -> Option<Value> {
    let mut fields = commit.split('\0');
    let (hash, author, authored_at) = (fields.next()?, fields.next()?, fields.next()?);
    let message = without_addresses(fields.next()?.trim());
    let files: Vec<&str> = fields.map(|file| file.trim_start_matches('\n')).filter(|file| !file.is_empty()).collect();
    Some(json!({
        "id": hash,
        "stream": format!("repository-{repository}"),
        "type": "CommitMade",
        "time": authored_at,
        "data": {"hash": hash, "author": author, "authored_at": authored_at, "message": message, "files": files},
    }))
}

/// The text without words that are e-mail addresses, or look like one.
fn without_addresses(text: &str) -> String {
    let is_address = |word: &str| {
        let Some((name, host)) = word.split_once('@') else { return false };
        !name.trim_start_matches('<').is_empty()
            && host.split('.').skip(1).any(|part| part.starts_with(char::is_alphabetic))
    };
    let lines = text.lines().map(|line| {
        let words = line.split(' ').filter(|word| !is_address(word));
        words.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_becomes_an_event() {
        let commit =
            "ab12\0Ada\x002016-08-28T01:37:12-04:00\0readme: a title\n\nA body.\n\0\0\nREADME.md\0crates/a b.rs\0";
        assert_eq!(
            event("sundial", commit),
            Some(json!({
                "id": "ab12",
                "stream": "repository-sundial",
                "type": "CommitMade",
                "time": "2016-08-28T01:37:12-04:00",
                "data": {
                    "hash": "ab12",
                    "author": "Ada",
                    "authored_at": "2016-08-28T01:37:12-04:00",
                    "message": "readme: a title\n\nA body.",
                    "files": ["README.md", "crates/a b.rs"],
                },
            }))
        );
        assert_eq!(event("sundial", "ab12\0Ada"), None);
    }

    #[test]
    fn a_commit_may_change_no_file() {
        let event = event("sundial", "ab12\0Ada\x002016-08-28T01:37:12-04:00\0Empty\n\0").unwrap();
        assert_eq!(event["data"]["files"], json!([]));
    }

    #[test]
    fn addresses_are_left_out() {
        let message = "Title\n\nSee @ada, a@b and checkout@v4.2\n\nCo-authored-by: Ada <ada@example.org>\nmail bob@example.org now";
        let kept = "Title\n\nSee @ada, a@b and checkout@v4.2\n\nCo-authored-by: Ada\nmail now";
        // `v4.2` is not the name of a host.
        assert_eq!(without_addresses(message), kept);
    }
}
