//! After a fault: the time until all is as before, which has a limit.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::Injector;
use crate::faults::{effects::REACTOR, expected::Projection, writers::event};

/// Within this time after the end of a fault, all is as before.
const RECOVERY: Duration = Duration::from_secs(60);

impl Injector {
    /// Waits until hosts answer readers; from then on they must not fail.
    pub(super) async fn end_faults(&self, indexes: &[usize]) {
        for index in indexes {
            let host = &self.hosts[*index];
            let paths = Projection::READ.map(|projection| format!("/v1/read-models/{}?limit=1", projection.table()));
            self.within(&format!("host {index} reads and is ready"), async || {
                for path in ["/health/ready"].into_iter().chain(paths.iter().map(String::as_str)) {
                    match host.try_send(host.request(Method::GET, path).timeout(RECOVERY)).await {
                        Ok(answer) if answer.status == StatusCode::OK => {}
                        other => return Err(format!("{path}: {other:?}")),
                    }
                }
                Ok(())
            })
            .await;
            self.addresses.end_fault(*index);
        }
    }

    /// Waits until each host answers an append, each build moves, and so does the reactor. Returns how long that took since the fault ended.
    pub(super) async fn recover(&mut self, ended: Instant) -> Duration {
        for (index, host) in self.hosts.iter().enumerate() {
            let stream = format!("count-0-{}", index + 1);
            let event = event(&mut self.random, &stream, 0);
            let append = self.account.append(&stream, vec![event], || host.url().to_owned());
            match tokio::time::timeout(RECOVERY, append).await {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => panic!("{problem}"),
                Err(_) => {
                    self.say_how_it_is().await;
                    panic!("step {}: host {index} does not answer appends", self.addresses.step());
                }
            }
        }
        let position = self.account.written.iter().map(|written| written.position).max();
        let mut first = BTreeMap::new();
        self.within("each build moves", async || {
            for projection in Projection::ALL {
                let path = format!("/v1/projections/{}", projection.name());
                let answer = match self.hosts[0].try_send(self.hosts[0].request(Method::GET, &path)).await {
                    Ok(answer) if answer.status == StatusCode::OK => answer.body,
                    other => return Err(format!("{path}: {other:?}")),
                };
                for build in answer["builds"].as_array().into_iter().flatten() {
                    let state = build["state"].as_str().unwrap_or_default();
                    assert!(
                        !["halted", "failed"].contains(&state),
                        "step {}: no build of {} has a reason to stop: {build}",
                        self.addresses.step(),
                        projection.name()
                    );
                    let checkpoint = build["checkpoint"].as_u64();
                    let before = *first.entry((projection, build["build"].as_u64())).or_insert(checkpoint);
                    let moves = checkpoint >= position || state == "replaying" && checkpoint > before;
                    // What an operator has stopped stands still.
                    if !moves && state != "paused" && build["state"] != json!("retired") {
                        return Err(format!("{}: {build}", projection.name()));
                    }
                }
            }
            Ok(())
        })
        .await;
        self.until_the_reactor_moves(position).await;
        ended.elapsed()
    }

    /// Waits until the reactor has handled the log up to a position, or is paused.
    async fn until_the_reactor_moves(&self, position: Option<u64>) {
        let path = format!("/v1/reactors/{REACTOR}");
        self.within("the reactor moves", async || {
            let found = match self.hosts[0].try_send(self.hosts[0].request(Method::GET, &path)).await {
                Ok(answer) if answer.status == StatusCode::OK => answer.body,
                other => return Err(format!("{path}: {other:?}")),
            };
            let state = found["state"].as_str().unwrap_or_default();
            let step = self.addresses.step();
            assert!(["running", "paused"].contains(&state), "step {step}: the reactor has no reason to stop: {found}");
            if state == "paused" || found["checkpoint"].as_u64() >= position { Ok(()) } else { Err(found.to_string()) }
        })
        .await;
    }

    async fn within(&self, what: &str, mut holds: impl AsyncFnMut() -> Result<(), String>) {
        let mut last = String::new();
        let wait = async {
            while let Err(problem) = holds().await {
                last = problem;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(RECOVERY, wait).await.is_err() {
            self.say_how_it_is().await;
            panic!("step {}: not within {RECOVERY:?}: {what}; {last}", self.addresses.step());
        }
    }

    /// Prints what may say why nothing moves.
    async fn say_how_it_is(&self) {
        for host in &self.hosts {
            let said = format!("{:#?}", **host);
            let lines: Vec<&str> = said.lines().collect();
            println!("{}\n", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        println!("{}", self.postgres.say_how_it_is().await);
    }
}
