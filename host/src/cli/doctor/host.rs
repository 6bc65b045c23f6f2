//! The hosts, as far as they answer.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use super::{finding::Finding, server};
use crate::{
    cli::{
        client::{Client, ClientError},
        measures::Measures,
    },
    metrics::names,
    postgres::ClockReading,
};

const AREA: &str = "hosts";

/// What a host says of itself.
#[derive(Deserialize)]
struct Index {
    name: String,
    version: String,
}

/// Asks a host. `None` if none answers there, and why.
pub(super) async fn look(client: &Client) -> Result<Vec<Finding>, ClientError> {
    let url = client.name();
    let check = |what: &str| format!("{what} of {url}");
    let index: Index = client.json(client.get(&[])).await?;
    let mut findings = Vec::new();
    let own = env!("CARGO_PKG_VERSION");
    findings.push(match index {
        Index { name, .. } if name != "gnomon" => {
            Finding::problem(AREA, check("version"), format!("another program, {name}"))
                .advice("give the URL of a host with --url (GNOMON_URL)")
        }
        Index { version, .. } if version != own => {
            Finding::warning(AREA, check("version"), format!("{version}; this program is {own}"))
                .why("commands and hosts of different versions may not understand each other")
                .advice("run the same version everywhere; while an upgrade goes on, this passes by itself")
        }
        Index { version, .. } => Finding::ok(AREA, check("version"), version),
    });
    findings.push(match client.send(client.get(&["health", "ready"])).await {
        Ok(_) => Finding::ok(AREA, check("readiness"), "it is ready"),
        Err(ClientError::Refused(problem)) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
            Finding::problem(AREA, check("readiness"), problem.detail())
                .why("clients of this host get 503, and a load balancer sends them elsewhere")
                .advice(format!("the log of the host says more; the page of the code: {url}/errors/{}", problem.code()))
        }
        Err(error) => Finding::problem(AREA, check("readiness"), error.without_advice()),
    });
    match Measures::ask(client).await {
        Ok(measures) => findings.extend(measured(&measures, &url)),
        Err(error) => findings.push(Finding::skipped(AREA, check("measures"), error.without_advice())),
    }
    Ok(findings)
}

fn measured(measures: &Measures, url: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let missing =
        measures.all(names::SCRAPE_ERROR).iter().any(|sample| sample.value > 0.0 && sample.label("part") == "builds");
    if let Some(offset) = measures.one(names::POSTGRES_CLOCK_OFFSET) {
        // The host does not say how long the answer took; it had a second for it at most, and much less when all is well.
        findings.push(server::clock(format!("clock of {url}"), ClockReading { offset, error: 0.1 }));
    }
    let stopped: Vec<String> = measures
        .all(names::BUILD_STATE)
        .iter()
        .filter(|sample| sample.value > 0.0 && matches!(sample.label("state"), "halted" | "failed"))
        // No query reads its rows.
        .filter(|sample| !sample.is_of_replaced())
        .map(|sample| {
            format!("{} build {} {}", sample.label("projection"), sample.label("build"), sample.label("state"))
        })
        .collect();
    findings.push(match stopped.as_slice() {
        [] if missing => {
            Finding::skipped(AREA, format!("builds of {url}"), "Postgres did not tell the host of them in time")
        }
        [] => Finding::ok(AREA, format!("builds of {url}"), "none is halted or failed"),
        stopped => Finding::problem(AREA, format!("builds of {url}"), stopped.join(", "))
            .why("their rows get older with each event")
            .advice(
                "`gnomon projections <name>` says at which event and why; `gnomon explain <position>` shows that event",
            ),
    });
    findings
}

/// A host that does not answer. Somebody named it, or hosts are known to run: then it should.
pub(super) fn silent(url: &str, error: &ClientError, is_expected: bool) -> Finding {
    let found = error.without_advice();
    if !is_expected {
        return Finding::skipped(AREA, format!("host at {url}"), found)
            .advice("give the URL of a host with --url (GNOMON_URL)");
    }
    Finding::problem(AREA, format!("host at {url}"), found)
        .why("clients cannot reach it either, if they use this URL")
        .advice("does it run, and listen on this address (--listen)? Is a firewall or a proxy between?")
}

/// A host that takes connections, and does not answer.
pub(super) fn stands_still(url: &str, time: Duration) -> Finding {
    Finding::problem(AREA, format!("host at {url}"), format!("it does not answer within {} s", time.as_secs()))
        .why("its process is frozen, or something between takes its connections")
        .advice("look at the process (`ps -o stat`), and at what else listens on this address")
}

/// How many hosts are alive, as Postgres knows it.
pub(super) fn living(hosts: u64) -> Finding {
    let found = match hosts {
        0 => "none has shown within 15 s that it lives".to_owned(),
        1 => "one".to_owned(),
        hosts => format!("{hosts}, which share the builds"),
    };
    match hosts {
        0 => Finding::warning(AREA, "hosts on the database", found)
            .why("nobody takes appends or works on builds")
            .advice("start one with `gnomon serve`"),
        _ => Finding::ok(AREA, "hosts on the database", found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    #[test]
    fn builds_that_stand_still_are_named() {
        let text = "gnomon_build_state{projection=\"bank\",build=\"2\",version=\"1\",state=\"halted\"} 1\n\
                    gnomon_build_state{projection=\"bank\",build=\"1\",version=\"1\",state=\"active\"} 1\n\
                    gnomon_postgres_clock_offset_seconds -5\n";
        let [clock, builds] = measured(&Measures::of(text), "http://h").try_into().unwrap();
        assert_eq!((clock.level, builds.level), (Level::Warning, Level::Problem));
        assert_eq!(builds.found, "bank build 2 halted");
        // One that has failed as well; a state in which a build is not is 0.
        let text = "gnomon_build_state{projection=\"bank\",build=\"2\",version=\"1\",state=\"failed\"} 1\n\
                    gnomon_build_state{projection=\"bank\",build=\"1\",version=\"1\",state=\"halted\"} 0\n";
        let [builds] = measured(&Measures::of(text), "http://h").try_into().unwrap();
        assert_eq!((builds.level, builds.found.as_str()), (Level::Problem, "bank build 2 failed"));
        let [builds] = measured(&Measures::default(), "http://h").try_into().unwrap();
        assert_eq!(builds.level, Level::Ok);
        let text = "gnomon_scrape_error{part=\"builds\"} 1\n";
        let [builds] = measured(&Measures::of(text), "http://h").try_into().unwrap();
        assert_eq!(builds.level, Level::Skipped);
        let text =
            "gnomon_build_state{projection=\"bank\",build=\"1\",version=\"1\",state=\"failed\",role=\"replaced\"} 1\n";
        let [builds] = measured(&Measures::of(text), "http://h").try_into().unwrap();
        assert_eq!(builds.level, Level::Ok);
    }

    #[test]
    fn a_database_without_a_host_is_worth_a_warning() {
        assert_eq!([0, 1, 2].map(|hosts| living(hosts).level), [Level::Warning, Level::Ok, Level::Ok]);
        assert!(living(0).why.is_some() && living(0).advice.is_some());
    }
}
