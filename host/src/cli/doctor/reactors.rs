//! Reactors: whether they answer what happens, and in time.

use std::time::Duration;

use gnomon_values::Instant;

use super::finding::Finding;
use crate::{
    api::{Reactor, ReactorState},
    cli::{figures, measures::Measures, projection::with_error},
    metrics::names,
};

const AREA: &str = "reactors";
/// An event, or a schedule that is due, waits for no longer where all is well.
const LATE: Duration = Duration::from_secs(60);

/// Judges the reactors of a host.
pub(super) fn judge(reactors: &[Reactor], measures: &Measures, now: Instant, url: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        reactors.iter().flat_map(|reactor| of_reactor(reactor, lag(measures, &reactor.name), now, url)).collect();
    if findings.is_empty() {
        let found = match reactors {
            [] => "there are none".to_owned(),
            reactors => format!("{}; none stands still or lags", figures::counted(reactors.len() as u64, "reactor")),
        };
        findings.push(Finding::ok(AREA, format!("reactors of {url}"), found));
    }
    findings
}

/// How old the oldest event is that a reactor has not handled. It is not known if Postgres did not tell the host in time.
fn lag(measures: &Measures, name: &str) -> Option<Duration> {
    let sample = measures.all(names::REACTOR_LAG_SECONDS).iter().find(|sample| sample.label("reactor") == name)?;
    Duration::try_from_secs_f64(sample.value).ok()
}

fn of_reactor(reactor: &Reactor, lag: Option<Duration>, now: Instant, url: &str) -> Vec<Finding> {
    let Reactor { name, version, state, error, dead_letters, schedules, next_due_at, upcasters, .. } = reactor;
    let mut findings = Vec::new();
    if matches!(state, ReactorState::Halted | ReactorState::Failed) {
        let label = format!("version {version} {state}");
        // The commands that it may name stand in the advice.
        let whole = error.as_ref().map_or_else(|| label.clone(), |error| with_error(label.clone(), error, upcasters));
        let found = whole.lines().next().unwrap_or_default().to_owned();
        let advice = match state {
            ReactorState::Halted => format!(
                "deploy a version that can handle the event, or `gnomon reactors on-failure {name} park`; then `gnomon reactors retry {name}`"
            ),
            _ => format!(
                "correct what the error names, then `gnomon reactors retry {name}`; `gnomon reactors` has all of it"
            ),
        };
        let why = "it answers nothing more: what it was to append, send or call is not done";
        findings.push(Finding::problem(AREA, format!("reactor {name} of {url}"), found).why(why).advice(advice));
    }
    if *state == ReactorState::Running {
        if let Some(lag) = lag.filter(|lag| *lag > LATE) {
            let found = format!("an event waits for {}; {} behind", figures::time(lag), positions(reactor.lag));
            findings.push(
                Finding::warning(AREA, format!("lag of reactor {name} of {url}"), found)
                    .why("what it is to do comes late")
                    .advice(format!(
                        "does a host work on it (gnomon_reactors_held)? Is its module slow (gnomon_reactor_handler_duration_seconds)? `gnomon top` \
                         shows whether {name} catches up"
                    )),
            );
        }
        let overdue = next_due_at.and_then(|due| u64::try_from(now.0 - due.0).ok()).map(Duration::from_micros);
        if let Some(overdue) = overdue.filter(|overdue| *overdue > LATE) {
            let found = format!(
                "the first of {} was due {} ago, by the clock of this machine",
                figures::counted(*schedules, "schedule"),
                figures::time(overdue)
            );
            findings.push(
                Finding::warning(AREA, format!("schedules of reactor {name} of {url}"), found)
                    .why("an event that is due comes as soon as the host that works on the reactor can append it")
                    .advice(
                        "does a host work on it (gnomon_reactors_held), and can appends be made (readiness)? Is this clock right (clock)?",
                    ),
            );
        }
    }
    if *dead_letters > 0 {
        let found = format!("it has set {} aside", figures::counted(*dead_letters, "event"));
        findings.push(
            Finding::warning(AREA, format!("dead letters of reactor {name} of {url}"), found)
                .why("what these events were to do is not done")
                .advice(format!(
                    "`gnomon reactors dead-letters {name}` lists them with their errors; deploy a version that can handle them, then `gnomon reactors \
                     retry {name}`"
                )),
        );
    }
    findings
}

fn positions(lag: u64) -> String {
    figures::counted(lag, "position")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    /// 2026-01-01T00:10:00Z
    const NOW: &str = "2026-01-01T00:10:00Z";

    fn reactor(changes: &str) -> Reactor {
        let mut reactor = serde_json::json!({
            "name": "settlement", "version": 2, "state": "running", "on_failure": "halt", "checkpoint": 7, "head": 9, "lag": 2,
            "events_per_second": 0, "error": null, "dead_letters": 0, "out_of_order": 0, "schedules": 0, "next_due_at": null,
            "began_after": 0, "tables": [], "upcasters": [], "created_at": NOW, "activated_at": NOW,
        });
        let changes: serde_json::Map<String, serde_json::Value> = serde_json::from_str(changes).unwrap();
        reactor.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(reactor).unwrap()
    }

    fn found(reactor: &Reactor, measures: &str) -> Vec<(String, Level, String)> {
        let findings =
            judge(std::slice::from_ref(reactor), &Measures::of(measures), Instant::parse(NOW).unwrap(), "http://h");
        assert!(
            findings
                .iter()
                .all(|finding| finding.level == Level::Ok || finding.why.is_some() && finding.advice.is_some())
        );
        findings.into_iter().map(|finding| (finding.check, finding.level, finding.found)).collect()
    }

    fn one(check: &str, level: Level, text: &str) -> Vec<(String, Level, String)> {
        vec![(check.to_owned(), level, text.to_owned())]
    }

    #[test]
    fn a_reactor_that_works_is_no_finding_of_its_own() {
        let fine = one("reactors of http://h", Level::Ok, "1 reactor; none stands still or lags");
        assert_eq!(found(&reactor("{}"), ""), fine);
        let measured = "gnomon_reactor_lag_seconds{reactor=\"settlement\"} 60\n";
        let due = reactor(r#"{"schedules": 1, "next_due_at": "2026-01-01T00:09:00Z"}"#);
        assert_eq!(found(&due, measured), fine);
        // An operator wants it to stand still.
        let paused = reactor(r#"{"state": "paused", "schedules": 1, "next_due_at": "2026-01-01T00:00:00Z"}"#);
        assert_eq!(found(&paused, "gnomon_reactor_lag_seconds{reactor=\"settlement\"} 600\n"), fine);
        let [none] = judge(&[], &Measures::default(), Instant(0), "http://h").try_into().unwrap();
        assert_eq!((none.level, none.found.as_str()), (Level::Ok, "there are none"));
    }

    #[test]
    fn a_reactor_that_stopped_says_where_and_why() {
        let halted = reactor(
            r#"{"state": "halted", "error": {"reason": "module", "position": 8, "message": "there is no account"}}"#,
        );
        let expected = one(
            "reactor settlement of http://h",
            Level::Problem,
            "version 2 halted at position 8: there is no account",
        );
        assert_eq!(found(&halted, "gnomon_reactor_lag_seconds{reactor=\"settlement\"} 600\n"), expected);
        let failed = reactor(
            r#"{"state": "failed", "error": {"reason": "host", "position": null, "message": "a table is missing"}}"#,
        );
        assert_eq!(found(&failed, "")[0].1, Level::Problem);
    }

    #[test]
    fn a_reactor_that_is_late_or_left_something_out_is_worth_a_warning() {
        let measured = "gnomon_reactor_lag_seconds{reactor=\"settlement\"} 61\n";
        assert_eq!(
            found(&reactor("{}"), measured),
            one(
                "lag of reactor settlement of http://h",
                Level::Warning,
                "an event waits for 1 min 1 s; 2 positions behind"
            )
        );
        let due = reactor(r#"{"schedules": 3, "next_due_at": "2026-01-01T00:08:59Z"}"#);
        assert_eq!(
            found(&due, ""),
            one(
                "schedules of reactor settlement of http://h",
                Level::Warning,
                "the first of 3 schedules was due 1 min 1 s ago, by the clock of this machine"
            )
        );
        assert_eq!(
            found(&reactor(r#"{"dead_letters": 1}"#), ""),
            one("dead letters of reactor settlement of http://h", Level::Warning, "it has set 1 event aside")
        );
    }
}
