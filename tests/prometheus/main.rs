//! A real Prometheus asks a real host under a little load, with the rules and the dashboard of `deploy/`: each of their queries gives series.
//!
//! `cargo test --workspace` leaves this target out, since Prometheus is not in the repository; `.ci/prometheus` installs it.
#![allow(clippy::print_stdout, reason = "what is missing is printed with the output of a test that fails")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it did not expect fails"
)]

mod load;
mod messages;
#[path = "../program/mod.rs"]
mod program;
mod queries;
mod server;

use std::{path::PathBuf, sync::Arc};

use gnomon::postgres::test_database::TestDatabase;
use test_support::until;

use crate::{program::HostProcess, server::Prometheus};

/// What is delivered.
fn deploy(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_rules_and_of_the_dashboard_gives_series() {
    let database = TestDatabase::create().await;
    let host = HostProcess::start(&database.url(), Arc::new(tempfile::tempdir().unwrap()), &[]).await;
    load::prepare(&host).await;
    messages::prepare(&host, &database).await;
    messages::start_reactor(&host).await;
    let prometheus = Prometheus::start(host.url().strip_prefix("http://").unwrap()).await;
    let load = load::Load::start(&host);

    until("Prometheus has what it needs for rates", async || prometheus.series("rate(up[5s])").await > 0).await;
    let rules = prometheus.rules().await;
    assert!(rules.len() > 20, "{rules:?}");
    let states = prometheus.values("gnomon_builds", "state").await;
    let mut all = queries::of_dashboard(&deploy("grafana/gnomon.json"));
    for rule in &rules {
        assert_eq!(rule.health, "ok", "{rule:?}");
        all.extend(queries::selectors_of_rule(rule, &states));
    }
    let (mut without, mut last_said) = (Vec::new(), 0);
    until("each query gives series", async || {
        load.check();
        without.clear();
        for query in &all {
            if prometheus.series(query).await == 0 {
                without.push(query.clone());
            }
        }
        if last_said != without.len() {
            last_said = without.len();
            println!("{last_said} of {} queries give no series: {without:#?}", all.len());
        }
        without.is_empty()
    })
    .await;

    let answer = host.get("/metrics").await.body;
    assert_eq!(Prometheus::objections(answer.as_str().unwrap()), "", "promtool check metrics");

    // What it is for: the one build that stands still is found, by its name, and nothing else is critical.
    until("the halted build raises its alert", async || {
        let firing: Vec<_> = prometheus.firing().await;
        firing.iter().any(|(name, projection)| (name.as_str(), projection.as_str()) == ("GnomonBuildHalted", "tally"))
    })
    .await;
    for (name, _) in prometheus.firing().await {
        let expected = ["GnomonBuildHalted", "GnomonReplayFailed"];
        assert!(expected.contains(&name.as_str()), "{name} fires");
    }
    load.stop().await;
}
