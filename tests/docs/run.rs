//! Runs a page.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::Value;
use test_support::{HostClient, HostLog};

use crate::{
    example::{Action, AnswerKind, Ends, Example, Run, examples},
    pages,
    program::HostProcess,
    repository,
    shell::{Output, Ran, Shell},
};

/// How a page is run.
pub(crate) struct Page {
    /// The page, from the top of the repository.
    pub(crate) path: &'static str,
    pub(crate) folder: Folder,
    /// The options of the host that its reader has already, which has nothing.
    pub(crate) host: Option<&'static [&'static str]>,
}

/// The folder that the reader is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    Empty,
    Repository,
}

impl Page {
    /// Runs every example.
    ///
    /// # Panics
    /// At the first that does not do what the page says.
    pub(crate) async fn run(self) {
        let examples = examples(&pages::read(self.path))
            .unwrap_or_else(|problems| panic!("{}:{}", self.path, problems.join(&format!("\n{}:", self.path))));
        let database = TestDatabase::create().await;
        let host = match self.host {
            Some(options) => {
                let data = Arc::new(tempfile::tempdir().unwrap());
                let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
                Some(HostProcess::start(&database.url(), data, &options).await)
            }
            None => None,
        };
        let url = host.as_ref().map_or_else(|| format!("http://{}", free_address()), |host| host.url().to_owned());
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let client = HostClient::new(url, HostLog::default());
        let folder = (self.folder == Folder::Repository).then(repository);
        let mut shell = tokio::task::block_in_place(|| Shell::start(folder.as_deref(), address));
        let mut started = host.is_some();
        for example in &examples {
            let result = tokio::task::block_in_place(|| self.run_example(&mut shell, example, address));
            if let Err(problem) = result {
                panic!("{}:{}: {problem}", self.path, example.line);
            }
            if !started && example.text.contains("gnomon serve") && matches!(example.action, Action::Run(_)) {
                started = true;
                until_ready(&client).await;
            }
        }
        if started {
            self.check_builds(&client).await;
        }
    }

    fn run_example(&self, shell: &mut Shell, example: &Example, address: SocketAddr) -> Result<(), String> {
        match &example.action {
            Action::NotRun => Ok(()),
            Action::Run(run) => {
                let script = at_address(&example.text, address);
                run_commands(shell, &script, run, address)
            }
            Action::Write { .. } if self.folder == Folder::Repository => {
                Err("a page that is run in the repository must not write there".into())
            }
            Action::Write { path, append } => {
                let ran = shell.write(path, &example.text, *append);
                if ran.code == 0 { Ok(()) } else { Err(format!("cannot write {path}: {ran:?}")) }
            }
            Action::Excerpt { path } => {
                let file = fs::read_to_string(repository().join(path)).map_err(|error| format!("{path}: {error}"))?;
                if has(&file, &example.text) {
                    return Ok(());
                }
                Err(format!("this does not stand in {path}:\n{}", example.text))
            }
        }
    }

    /// A page that stops a build also shows how it goes on.
    async fn check_builds(&self, client: &HostClient) {
        let projections = client.json("/v1/projections").await;
        let stopped = stopped(&projections);
        assert!(stopped.is_empty(), "{}: at the end of the page, these are stopped: {stopped:#?}", self.path);
    }
}

/// Whether a file has these lines, which may stand further to the right in it.
fn has(file: &str, lines: &str) -> bool {
    let file: Vec<&str> = file.lines().collect();
    let lines: Vec<&str> = lines.lines().collect();
    file.windows(lines.len()).any(|found| {
        let Some(indent) = found[0].strip_suffix(lines[0]).filter(|indent| indent.trim().is_empty()) else {
            return false;
        };
        let mut pairs = found.iter().zip(&lines);
        pairs.all(|(found, line)| found == line && line.is_empty() || found.strip_prefix(indent) == Some(*line))
    })
}

#[test]
fn a_part_of_a_file_may_stand_further_to_the_right() {
    let file = "fn a() {\n    b {\n        c\n\n        d\n    }\n}\n";
    assert!(has(file, "b {\n    c\n\n    d\n}\n") && has(file, "fn a() {\n"));
    assert!(!has(file, "b {\nc\n") && !has(file, "c\nd\n") && !has(file, "{\n"));
}

/// The builds in an answer that stopped by themselves. One that was replaced may stop: it is what the page mends.
fn stopped(answer: &Value) -> Vec<&Value> {
    match answer {
        Value::Object(members) if members.get("state").is_some_and(|state| state == "halted" || state == "failed") => {
            if members.get("replaced_at").is_none_or(Value::is_null) {
                vec![answer]
            } else {
                Vec::new()
            }
        }
        Value::Object(members) => members.values().flat_map(stopped).collect(),
        Value::Array(items) => items.iter().flat_map(stopped).collect(),
        _ => Vec::new(),
    }
}

/// The page's own host in place of the one that it assumes.
fn at_address(text: &str, address: SocketAddr) -> String {
    let address = address.to_string();
    text.replace("localhost:7070", &address).replace("127.0.0.1:7070", &address)
}

fn run_commands(shell: &mut Shell, script: &str, run: &Run, address: SocketAddr) -> Result<(), String> {
    let output = match run.answer.as_ref().map(|answer| answer.kind) {
        Some(AnswerKind::Text) => Output::Together,
        Some(AnswerKind::Json) | None => Output::Apart,
    };
    // What a terminal adds is no part of an answer.
    let printed = |ran: &Ran| at_default_address(&ran.stdout.replace('\r', ""), address);
    let check = |ran: &Ran| match &run.answer {
        Some(answer) => answer.compare(&printed(ran)).map_err(|problem| (answer.line, problem)),
        None => Ok(()),
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    let ran = loop {
        let ran = match (run.ends, &run.typed) {
            (Ends::WithAnswer, _) => shell.run_until(script, output, |ran| check(ran).is_ok()),
            (_, Some(typed)) => shell.run_at_terminal(script, typed),
            // A failure that passes must not end the shell.
            _ if run.fails || run.ends == Ends::AfterRepeats => shell.run_to_failure(script, output),
            _ => shell.run(script, output),
        };
        let again = run.ends == Ends::AfterRepeats && (ran.code != 0 || check(&ran).is_err());
        if !again || Instant::now() > deadline {
            break ran;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let problem = if run.fails && ran.code == 0 {
        "it succeeds, and the page says that it fails".to_owned()
    } else if !run.fails && ran.code != 0 {
        match &ran.failed {
            Some(command) => format!("exit code {} of\n  $ {command}", ran.code),
            None => format!("exit code {}", ran.code),
        }
    } else if let Err((line, problem)) = check(&ran) {
        format!("the answer of line {line}: {problem}")
    } else {
        return Ok(());
    };
    let Ran { stdout, stderr, .. } = ran;
    Err(format!("{problem}\n--- the block:\n{script}--- stdout:\n{stdout}\n--- stderr:\n{stderr}\n---"))
}

/// What was printed, as the page would show it.
fn at_default_address(text: &str, address: SocketAddr) -> String {
    text.replace(&address.to_string(), "127.0.0.1:7070")
}

/// An address that nobody listens at.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until a host that the reader has started says that it is ready, as the reader sees in its log.
async fn until_ready(client: &HostClient) {
    test_support::until("the host that the page starts is ready", async || {
        let answer = client.try_send(client.request(reqwest::Method::GET, "/health/ready")).await;
        answer.is_ok_and(|answer| answer.status.is_success())
    })
    .await;
}

#[test]
fn a_page_must_not_leave_a_stopped_build() {
    let build = |state: &str, replaced_at: Value| serde_json::json!({"state": state, "replaced_at": replaced_at});
    let projections = serde_json::json!({"projections": [{"builds": [
        build("active", Value::Null), build("halted", "2013".into()), build("halted", Value::Null), build("failed", Value::Null),
    ]}]});
    assert_eq!(stopped(&projections), [&build("halted", Value::Null), &build("failed", Value::Null)]);
}
