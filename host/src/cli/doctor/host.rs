//! The hosts, as far as they answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gnomon_values::Instant;
use reqwest::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::{finding::Finding, outbox, reactors, server};
use crate::{
    api,
    cli::{
        client::{Client, ClientError},
        measures::Measures,
    },
    metrics::names,
    postgres::ClockReading,
};

const AREA: &str = "hosts";

/// A log, and who has it.
pub(super) struct KnownLog {
    pub(super) id: Uuid,
    pub(super) of: String,
}

/// What a host that is ready says.
#[derive(Deserialize)]
struct Ready {
    /// Which log it has; older hosts do not say it.
    log: Option<Uuid>,
}

/// What a host says of itself.
#[derive(Deserialize)]
struct Index {
    name: String,
    version: String,
}

/// Asks a host. `log` is the one that it should have; where none is known yet, it becomes that of this host.
pub(super) async fn look(client: &Client, log: &mut Option<KnownLog>) -> Result<Vec<Finding>, ClientError> {
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
    let mut found_log = None;
    findings.push(match client.json::<Ready>(client.get(&["health", "ready"])).await {
        Ok(ready) => {
            found_log = ready.log;
            Finding::ok(AREA, check("readiness"), "it is ready")
        }
        Err(ClientError::Refused(problem)) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
            Finding::problem(AREA, check("readiness"), problem.detail())
                .why("clients of this host get 503, and a load balancer sends them elsewhere")
                .advice(format!("the log of the host says more; the page of the code: {url}/errors/{}", problem.code()))
        }
        Err(error) => Finding::problem(AREA, check("readiness"), error.without_advice()),
    });
    if let Some(id) = found_log {
        let known = log.get_or_insert_with(|| KnownLog { id, of: url.clone() });
        findings.push(same_log(id, known, &url));
    }
    match Measures::ask(client).await {
        Ok(measures) => {
            findings.extend(measured(&measures, &url));
            findings.extend(look_at_reactors(client, &measures, &url).await);
            findings.extend(look_at_messages(client, &measures, &url).await);
        }
        Err(error) => findings.push(Finding::skipped(AREA, check("measures"), error.without_advice())),
    }
    Ok(findings)
}

/// Whether a host has the log that it should have.
fn same_log(id: Uuid, known: &KnownLog, url: &str) -> Finding {
    let check = format!("log of {url}");
    if id == known.id {
        return Finding::ok(AREA, check, id.to_string());
    }
    let (other, of) = (known.id, &known.of);
    Finding::problem(AREA, check, format!("{id}; {of} has another log, {other}"))
        .why("what is said of one says nothing of the other")
        .advice(format!(
            "give the database of this host with --database-url (DATABASE_URL; --data-dir for a private Postgres), or with --url (GNOMON_URL) the host of {of}"
        ))
}

async fn look_at_reactors(client: &Client, measures: &Measures, url: &str) -> Vec<Finding> {
    match client.json::<api::Reactors>(client.get(&["v1", "reactors"])).await {
        Ok(answer) => reactors::judge(&answer.reactors, measures, now(), url),
        Err(error) => vec![Finding::skipped("reactors", format!("reactors of {url}"), error.without_advice())],
    }
}

async fn look_at_messages(client: &Client, measures: &Measures, url: &str) -> Vec<Finding> {
    let check = || format!("messages of {url}");
    if is_missing(measures, "outbox") {
        return vec![Finding::skipped("outbox", check(), "Postgres did not tell the host of them in time")];
    }
    match outbox::look(client, measures, url).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::skipped("outbox", check(), error.without_advice())],
    }
}

/// The time of this machine.
fn now() -> Instant {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}

/// Whether a part is left out of the measures.
fn is_missing(measures: &Measures, part: &str) -> bool {
    measures.all(names::SCRAPE_ERROR).iter().any(|sample| sample.value > 0.0 && sample.label("part") == part)
}

fn measured(measures: &Measures, url: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let missing = is_missing(measures, "builds");
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
    fn a_host_with_another_log_is_found() {
        let known = KnownLog { id: Uuid::from_u128(1), of: "the database that was examined".to_owned() };
        assert_eq!(same_log(Uuid::from_u128(1), &known, "http://h").level, Level::Ok);
        let other = same_log(Uuid::from_u128(2), &known, "http://h");
        assert_eq!((other.level, other.why.is_some(), other.advice.is_some()), (Level::Problem, true, true));
        assert_eq!(
            other.found,
            "00000000-0000-0000-0000-000000000002; the database that was examined has another log, 00000000-0000-0000-0000-000000000001"
        );
    }

    #[test]
    fn a_database_without_a_host_is_worth_a_warning() {
        assert_eq!([0, 1, 2].map(|hosts| living(hosts).level), [Level::Warning, Level::Ok, Level::Ok]);
        assert!(living(0).why.is_some() && living(0).advice.is_some());
    }
}
