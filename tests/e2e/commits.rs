//! Real commit messages are searched, and the hits are those that a plain reading of the file finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use flate2::read::GzDecoder;
use gnomon::postgres::test_database::TestDatabase;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Host;

/// The hashes of commits.
type Hashes = BTreeSet<String>;

/// The messages as they are in the file.
struct Messages {
    /// The lines of the file, without the ids.
    ndjson: String,
    commits: Vec<Message>,
}

struct Message {
    data: Value,
    title: Vec<Word>,
    body: Vec<Word>,
}

/// What stands between spaces, without punctuation around it, in small letters.
struct Word {
    text: String,
    /// Whether it has letters only, so that every reader takes it for one word.
    plain: bool,
}

fn words(text: &str) -> Vec<Word> {
    let word = |word: &str| {
        let text = word.trim_matches(|around| "()[]{}.,;:!?\"'`*".contains(around)).to_lowercase();
        Word { plain: text.chars().all(|letter| letter.is_ascii_lowercase()), text }
    };
    text.split_whitespace().map(word).filter(|word| !word.text.is_empty()).collect()
}

impl Messages {
    fn read() -> Self {
        let packed = include_bytes!("../../projections/commits/data/ripgrep.jsonl.gz");
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        let (mut ndjson, mut commits) = (String::new(), Vec::new());
        for line in text.lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            // A hash is not a UUID; `gnomon import` makes one of it, and the route that it uses does not.
            event.as_object_mut().unwrap().remove("id");
            ndjson += &format!("{event}\n");
            let data = event["data"].take();
            let message = data["message"].as_str().unwrap();
            let (title, body) = message.split_once('\n').unwrap_or((message, ""));
            commits.push(Message { title: words(title), body: words(body), data });
        }
        Self { ndjson, commits }
    }

    /// The hashes of the commits for which a condition holds.
    fn which(&self, holds: impl Fn(&Message) -> bool) -> Hashes {
        self.commits.iter().filter(|commit| holds(commit)).map(|commit| hash(&commit.data)).collect()
    }

    /// The words that every reader finds in the same commits, whatever it knows of the language, with the number of their commits:
    /// they stand alone wherever they stand, and no other word begins like them.
    fn unmistakable(&self) -> BTreeMap<&str, usize> {
        let words = || self.commits.iter().flat_map(Message::words);
        let plain: BTreeSet<&str> = words().filter(|word| word.plain).map(|word| &*word.text).collect();
        let unclear: BTreeSet<&str> = words().filter(|word| !word.plain).map(|word| &*word.text).collect();
        let unclear = Vec::from_iter(unclear).join(" ");
        let long = plain.iter().filter(|word| word.len() >= 6 && !STOP_WORDS.contains(word));
        let alone = long.filter(|word| {
            let begin = begin(word);
            plain.range(begin..).take_while(|other| other.starts_with(begin)).count() == 1 && !unclear.contains(begin)
        });
        alone.map(|word| (*word, self.which(|commit| commit.has(word)).len())).collect()
    }
}

/// What any form of the word begins with: `cas` for `casing`, `put` for `putting`.
fn begin(word: &str) -> &str {
    let begin = &word[..word.len().saturating_sub(3).clamp(3, 4)];
    let doubled = begin.len() == 4 && begin.as_bytes()[2] == begin.as_bytes()[3];
    if doubled { &begin[..3] } else { begin }
}

/// The words of six letters or more that a search in English passes over: those of the stop list of Snowball, which Postgres has.
#[rustfmt::skip]
const STOP_WORDS: [&str; 18] = [
    "against", "because", "before", "between", "during", "further", "having", "herself", "himself", "itself", "myself", "ourselves",
    "should", "theirs", "themselves", "through", "yourself", "yourselves",
];

impl Message {
    fn words(&self) -> impl Iterator<Item = &Word> {
        self.title.iter().chain(&self.body)
    }

    fn has(&self, word: &str) -> bool {
        self.words().any(|found| found.text == word)
    }

    fn text(&self, field: &str) -> &str {
        self.data[field].as_str().unwrap()
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        self.data["files"].as_array().unwrap().iter().filter_map(Value::as_str)
    }
}

fn hash(data: &Value) -> String {
    data["hash"].as_str().unwrap().to_owned()
}

/// What a query of the table finds.
async fn found(host: &Host, filters: &str) -> Hashes {
    let rows = host.rows_at(&format!("commits/commits?select=hash&{filters}"), 2_119).await;
    rows.iter().map(hash).collect()
}

async fn with_commits(messages: &Messages) -> (Host, TestDatabase) {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let answer = host.import(messages.ndjson.clone()).await;
    assert_eq!((answer.status, &answer.body["imported"]), (StatusCode::CREATED, &json!(2_119)), "{answer:?}");
    let build = host.deploy("commits", test_support::component("commits"), "").await;
    host.until_state("commits", build, "active").await;
    (host, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_where_they_stand() {
    let messages = Messages::read();
    let (host, _database) = with_commits(&messages).await;
    let table = &host.json("/v1/modules/commits/versions/1").await["descriptor"]["tables"][0];
    assert_eq!(
        table["indexes"][0],
        json!({
            "name": "words", "kind": "full_text", "columns": ["title", "body"], "language": "english", "weights": ["A", "B"],
        })
    );
    let unmistakable = messages.unmistakable();
    assert!(unmistakable.len() > 250, "only {}", unmistakable.len());
    for word in unmistakable.keys() {
        let hits = messages.which(|commit| commit.has(word));
        assert_eq!(found(&host, &format!("words=wfts.{word}")).await, hits, "{word}");
    }

    // Words together, the most frequent ones.
    let mut by_frequency: Vec<(&str, usize)> = unmistakable.into_iter().collect();
    by_frequency.sort_by_key(|(_, commits)| std::cmp::Reverse(*commits));
    by_frequency.truncate(6);
    for (one, commits) in &by_frequency {
        assert!(*commits >= 5, "{by_frequency:?}");
        let in_title = messages.which(|commit| commit.title.iter().any(|word| word.text == *one));
        assert_eq!(found(&host, &format!("words=fts.{one}:A")).await, in_title, "{one} in titles");
        for (other, _) in by_frequency.iter().filter(|(other, _)| other != one) {
            let both = messages.which(|commit| commit.has(one) && commit.has(other));
            assert_eq!(found(&host, &format!("words=plfts.{one} {other}")).await, both, "{one} and {other}");
            let either = messages.which(|commit| commit.has(one) || commit.has(other));
            assert_eq!(found(&host, &format!("words=wfts.{one} or {other}")).await, either, "{one} or {other}");
            let without = messages.which(|commit| commit.has(one) && !commit.has(other));
            assert_eq!(found(&host, &format!("words=wfts.{one} -{other}")).await, without, "{one} without {other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_is_found_in_all_its_forms() {
    let messages = Messages::read();
    let (host, _database) = with_commits(&messages).await;
    for (stem, forms, others) in [
        ("fix", &["fix", "fixes", "fixed", "fixing"][..], &["fixture", "fixtures", "suffix"][..]),
        ("search", &["search", "searches", "searched", "searching"], &["searcher", "searchers"]),
    ] {
        let hits = found(&host, &format!("words=wfts.{stem}")).await;
        for form in forms {
            assert_eq!(found(&host, &format!("words=wfts.{form}")).await, hits, "{form} is {stem}");
            let with_form = messages.which(|commit| commit.has(form));
            assert!(!with_form.is_empty() && with_form.is_subset(&hits), "{form}");
        }
        // Without a form, a word is not enough.
        let none = messages.which(|commit| !commit.words().any(|word| word.text.contains(stem)));
        assert!(none.is_disjoint(&hits), "{stem}");
        let only_others = messages.which(|commit| {
            let with_stem: Vec<&str> = commit.words().map(|word| &*word.text).filter(|of| of.contains(stem)).collect();
            !with_stem.is_empty() && with_stem.iter().all(|word| others.contains(word))
        });
        assert!(!only_others.is_empty() && only_others.is_disjoint(&hits), "{stem} is not one of {others:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_clocks_files_and_issues_are_found() {
    let messages = Messages::read();
    let (host, _database) = with_commits(&messages).await;

    let by_author = messages.which(|commit| commit.text("author") == "Andrew Gallant");
    for spelling in ["Andrew Gallant", "andrew gallant", "ANDREW GALLANT"] {
        assert_eq!(found(&host, &format!("author=eq.{spelling}")).await, by_author, "{spelling}");
    }

    // `2016-08-28T23:37:12-04:00`: the clock is what stands before the offset.
    let on_a_day = messages.which(|commit| commit.text("authored_at").starts_with("2016-09-24T"));
    assert!(!on_a_day.is_empty());
    let day = "local_time=gte.2016-09-24T00:00:00&local_time=lt.2016-09-25T00:00:00";
    assert_eq!(found(&host, day).await, on_a_day);
    let late = messages.which(|commit| &commit.text("authored_at")[11..19] >= "22:30:00");
    assert_eq!(found(&host, "time_of_day=gte.22:30").await, late);

    let of_readme = messages.which(|commit| commit.files().any(|file| file == "README.md"));
    assert_eq!(found(&host, "files=cs.{README.md}").await, of_readme);
    let both =
        messages.which(|commit| ["Cargo.toml", "Cargo.lock"].iter().all(|of| commit.files().any(|file| file == *of)));
    assert_eq!(found(&host, "files=cs.{Cargo.toml,Cargo.lock}").await, both);
    let only = messages.which(|commit| commit.files().all(|file| ["FAQ.md", "GUIDE.md"].contains(&file)));
    assert_eq!(found(&host, "files=cd.{FAQ.md,GUIDE.md}").await, only);
    let under = |file: &str| file.starts_with("crates/printer/") || file.starts_with("crates/searcher/");
    let of_folders = messages.which(|commit| commit.files().any(under));
    assert_eq!(found(&host, "folders=ov.{crates/printer,crates/searcher}").await, of_folders);
    for hits in [&by_author, &late, &of_readme, &both, &only, &of_folders] {
        assert!((10..2_119).contains(&hits.len()), "{}", hits.len());
    }

    let issue = |text: &str| {
        text.split('#').skip(1).any(|after| after.split(|c: char| !c.is_ascii_digit()).next() == Some("705"))
    };
    let of_issue = messages.which(|commit| issue(commit.text("message")));
    assert!(!of_issue.is_empty());
    assert_eq!(found(&host, "issues=cs.{705}").await, of_issue);
}
