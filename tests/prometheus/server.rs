//! Prometheus as Debian installs it, as a child process with files of its own.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use test_support::{client, until};

use crate::deploy;

/// As docs/metrics.md has it, and each second.
const SETTINGS: &str = "
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [\"<rules>\"]
scrape_configs:
  - job_name: gnomon
    static_configs: [{targets: [\"<host>\"]}]
";

/// A running Prometheus. It is ended when this is dropped.
pub(crate) struct Prometheus {
    child: Child,
    folder: TempDir,
    url: String,
    client: reqwest::Client,
}

/// A rule as Prometheus has read it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) query: String,
    pub(crate) health: String,
}

impl Prometheus {
    /// Starts Prometheus, which asks a host.
    pub(crate) async fn start(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A port that was just free; Prometheus cannot choose one itself.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let rules = deploy("prometheus/alerts.yml").canonicalize().unwrap();
        let settings = SETTINGS.replace("<rules>", rules.to_str().unwrap()).replace("<host>", host);
        fs::write(folder.path().join("prometheus.yml"), settings).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("Prometheus does not start ({error}); .ci/prometheus installs it"));
        let mut prometheus = Self { child, folder, url: format!("http://127.0.0.1:{port}"), client: client() };
        until("Prometheus is ready", async || {
            assert!(prometheus.child.try_wait().unwrap().is_none(), "Prometheus ended: {}", prometheus.log());
            let ready = prometheus.client.get(format!("{}/-/ready", prometheus.url)).send().await;
            ready.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        prometheus
    }

    /// What promtool says of an answer of a host; nothing if it is as it should be.
    pub(crate) fn objections(answer: &str) -> String {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
    }

    /// How many series a query gives.
    pub(crate) async fn series(&self, query: &str) -> usize {
        let data = self.api("query", &[("query", query)]).await;
        match &data["result"] {
            Value::Array(series) => series.len(),
            other => panic!("{query}: {other}"),
        }
    }

    /// The values of a label.
    pub(crate) async fn values(&self, measure: &str, label: &str) -> Vec<String> {
        let values = self.api(&format!("label/{label}/values"), &[("match[]", measure)]).await;
        values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    /// The rules that it has evaluated.
    pub(crate) async fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        until("the rules are evaluated", async || {
            let data = self.api("rules", &[]).await;
            let groups = data["groups"].as_array().unwrap().iter();
            rules = groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
            rules.iter().all(|rule| rule["health"] != "unknown")
        })
        .await;
        let text = |rule: &Value, member: &str| rule[member].as_str().unwrap().to_owned();
        rules.iter().map(|rule| Rule { query: text(rule, "query"), health: text(rule, "health") }).collect()
    }

    /// The alerts that fire, each with its projection.
    pub(crate) async fn firing(&self) -> Vec<(String, String)> {
        let data = self.api("alerts", &[]).await;
        let firing = data["alerts"].as_array().unwrap().iter().filter(|alert| alert["state"] == "firing");
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        firing.map(|alert| (label(alert, "alertname"), label(alert, "projection"))).collect()
    }

    async fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let request = self.client.get(format!("{}/api/v1/{path}", self.url)).query(parameters);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{path} {parameters:?}: {answer}");
        answer["data"].clone()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
