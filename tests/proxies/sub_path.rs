//! A host under a part of the paths of a server.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::Url;
use serde_json::{Value, json};
use test_support::{HostClient, HostLog, client};

use crate::{
    host,
    nginx::Nginx,
    program::{HostProcess, gnomon},
};

/// nginx with the host under `/sub/path/`, and the page of another program at the paths of the host. `end` follows the host's URL: a slash
/// makes nginx remove the sub-path.
async fn nginx(host: &HostProcess, end: &str) -> Nginx {
    let locations = format!(
        "location /sub/path/ {{ proxy_pass {}{end}; proxy_set_header X-Forwarded-Prefix /sub/path; }} \
         location / {{ return 404 'another program'; }}",
        host.url()
    );
    Nginx::start(&locations).await
}

/// Runs a command against the host behind nginx; returns stdout and stderr.
async fn run(url: &str, state: &std::path::Path, arguments: &[&str]) -> (String, String) {
    let mut command = gnomon();
    command.args(arguments).args(["--url", url]).env("XDG_STATE_HOME", state).stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_works_under_a_sub_path() {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let nginx = nginx(&host, "").await;
    let url = format!("{}/sub/path", nginx.url());
    let behind = HostClient::new(url.clone(), HostLog::default());
    // Past nginx, which by default takes no request that is as large as a module that is built without optimisations.
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    behind.until_state("tally", build, "active").await;
    let state = tempfile::tempdir().unwrap();

    let (out, err) =
        run(&url, state.path(), &["append", "count-1", "--type", "Counted", "--data", r#"{"n": 7}"#]).await;
    assert_eq!(out, "count-1 version 1, position 1\n", "{err}");
    // With a slash at the end it is the same host, whose last append is remembered.
    let (rows, err) = run(&format!("{url}/"), state.path(), &["query", "tally", "tallies", "--json"]).await;
    let rows: Value = serde_json::from_str(&rows).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!(rows, json!([{"stream": "1", "sum": 7, "events": 1, "last_version": 1}]));
    // Followers do not wait for the end of a page.
    let (followed, err) = run(&url, state.path(), &["events", "--follow", "--limit", "1"]).await;
    assert_eq!(followed.lines().count(), 1, "{err}");

    // A name arrives as it was written.
    for stream in ["order/../payroll", "a/b", "50%"] {
        let (out, err) = run(&url, state.path(), &["append", stream, "--type", "Odd", "--data", "1"]).await;
        assert!(out.starts_with(&format!("{stream} version 1, ")), "{out}{err}");
    }

    // The page of an error is where the message says.
    let (_, err) = run(&url, state.path(), &["query", "nobody", "tallies"]).await;
    let page = err.lines().find_map(|line| line.trim().strip_prefix("see ")).unwrap_or_else(|| panic!("{err}"));
    assert_eq!(page, format!("{url}/errors/projection_not_found"));
    let text = client().get(page).send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("# `projection_not_found`"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_in_answers_lead_to_the_host_whether_or_not_nginx_removes_the_prefix() {
    for end in ["", "/"] {
        paths_in_answers_lead_to_the_host(end).await;
    }
}

async fn paths_in_answers_lead_to_the_host(end: &str) {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let nginx = nginx(&host, end).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let base = Url::parse(&format!("{}/sub/path/", nginx.url())).unwrap();
    let get = async |path: &str, from: &Url| {
        let url = from.join(path).unwrap();
        let response = client().get(url.clone()).send().await.unwrap();
        let text = response.text().await.unwrap();
        (url, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    };
    // From the first page on, each link leads on.
    let (url, index) = get("", &base).await;
    let (url, list) = get(index["read_models"].as_str().unwrap(), &url).await;
    let links = |value: &Value, name: &str| value["links"][name].as_str().unwrap().to_owned();
    let read_model = &list["read_models"][0];
    assert_eq!(get(&links(read_model, "projection"), &url).await.1["name"], "tally");
    let (url, one) = get(&links(read_model, "self"), &url).await;
    assert_eq!(get(&links(&one["tables"][0], "rows"), &url).await.1, json!([]));
    let (url, problem) = get("v1/streams/nobody-1/events", &base).await;
    let page = get(problem["type"].as_str().unwrap(), &url).await.1;
    assert!(page.as_str().is_some_and(|page| page.starts_with("# `stream_not_found`")), "{page}");
    // So does the page that shows the API, and the document that it shows.
    let (url, page) = get(index["docs"].as_str().unwrap(), &base).await;
    let attribute = |name: &str| {
        let begin = format!("{name}=\"");
        page.as_str().unwrap().split(&begin).nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (document_url, document) = get(&attribute("spec-url"), &url).await;
    let script = client().get(url.join(&attribute("src")).unwrap()).send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    let server = document_url.join(document["servers"][0]["url"].as_str().unwrap()).unwrap();
    assert_eq!(server.path(), "/sub/path/");
    // There are no redirects, which would lead out of the sub-path.
    let response = client().get(base.join("v1/events/").unwrap()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.url().path()), (200, "/sub/path/v1/events/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_too_large_for_the_proxy_is_explained() {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let nginx = nginx(&host, "").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let line = json!({"stream": "big-1", "type": "Large", "data": {"text": "x".repeat(500_000)}}).to_string() + "\n";
    std::fs::write(&file, line.repeat(5)).unwrap();
    let url = format!("{}/sub/path", nginx.url());
    let (_, err) = run(&url, folder.path(), &["import", file.to_str().unwrap()]).await;
    assert!(err.contains("client_max_body_size"), "{err}");
    assert!(err.contains("a proxy in front of the host"), "{err}");
}
