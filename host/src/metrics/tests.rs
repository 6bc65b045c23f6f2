//! The table of measures, what is registered, and the page that lists them for operators.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use super::*;

/// What stands before the table of the page that is made of the code, and after it.
const MARKS: [&str; 2] = ["<!-- begin: the measures, made of the code -->\n", "<!-- end: the measures -->\n"];

#[test]
fn what_is_counted_is_registered_and_nothing_else() {
    let named: BTreeSet<&str> = names::ALL.iter().filter(|of| of.source == Source::Counted).map(|of| of.name).collect();
    let registered: Vec<&str> = of_host().registered.iter().map(|of| of.name).collect();
    assert_eq!(registered.iter().copied().collect::<BTreeSet<_>>(), named);
    assert_eq!(registered.len(), named.len(), "each once");
}

#[test]
fn names_are_those_of_prometheus_and_have_their_unit() {
    let mut names = BTreeSet::new();
    for measure in names::ALL {
        let Measure { name, kind, source, labels, meaning } = measure;
        assert!(names.insert(name), "{name} twice");
        let of_event_stores =
            name.starts_with("event_store_") || name.starts_with("event_replay_") || name.starts_with("event_handler_");
        assert!(of_event_stores || name.starts_with("gnomon_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(
            !matches!(kind, Kind::Seconds(_)) || name.ends_with("_duration_seconds") || name.ends_with("_wait_seconds"),
            "{name}"
        );
        assert!(kind.buckets().is_sorted_by(|one, next| one < next), "{name}");
        // What a process has taken, the system counts.
        let is_gauge = *kind == Kind::Gauge || **name == *names::PROCESS_CPU.name;
        assert!(*source == Source::Counted || is_gauge, "{name}: what is read is a gauge");
        assert!(labels.iter().all(|label| !["le", "job", "instance"].contains(label)), "{name}");
        assert!(!meaning.ends_with('.'), "{name}: the full stop is added");
    }
}

#[test]
fn what_is_read_is_shown_as_it_is_read() {
    let mut readings = Readings::default();
    readings.add(names::BUILD_LAG_SECONDS, &["bank", "1"], 0.5);
    readings.add_count(names::BUILD_LAG_SECONDS, &["b\"k", "2"], 3_u64);
    let text = of_host().text(readings);
    let lines = "gnomon_build_lag_seconds{projection=\"bank\",build=\"1\"} 0.5\n\
                 gnomon_build_lag_seconds{projection=\"b\\\"k\",build=\"2\"} 3.0\n";
    assert!(text.contains(lines), "{text}");
    assert!(text.contains("# TYPE gnomon_build_lag_seconds gauge\n"), "{text}");
    assert!(text.contains("# TYPE event_store_conflicts_total counter\nevent_store_conflicts_total "), "{text}");
    assert!(!text.contains("gnomon_build_state"), "what was not read is not shown");
}

fn unit(measure: &Measure) -> &'static str {
    const UNITS: &[&str] =
        &["seconds", "bytes", "positions", "position", "events", "requests", "instances", "connections"];
    let last = measure.name.trim_end_matches("_total").rsplit('_').next().unwrap_or_default();
    UNITS.iter().find(|unit| **unit == last).copied().unwrap_or_default()
}

fn table() -> String {
    let mut page = "| name | type | unit | labels | from | meaning |\n|---|---|---|---|---|---|\n".to_owned();
    for measure in names::ALL {
        let kind = match measure.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Seconds(_) | Kind::Sizes(_) => "histogram",
        };
        let source = match measure.source {
            Source::Counted | Source::Host => "host",
            Source::Database => "database",
        };
        let labels: Vec<String> = measure.labels.iter().map(|label| format!("`{label}`")).collect();
        let (labels, unit, meaning) = (labels.join(", "), unit(measure), measure.meaning);
        let _ = writeln!(page, "| `{}` | {kind} | {unit} | {labels} | {source} | {meaning} |", measure.name);
    }
    page.push_str("\n| histogram | buckets, up to |\n|---|---|\n");
    for measure in names::ALL.iter().filter(|measure| !measure.kind.buckets().is_empty()) {
        let buckets: Vec<String> = measure.kind.buckets().iter().map(f64::to_string).collect();
        let _ = writeln!(page, "| `{}` | {} |", measure.name, buckets.join(", "));
    }
    page
}

/// Every measure of the code is on the page, and every name of a measure on the page is one of the code.
#[test]
fn the_page_lists_the_measures_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (listed, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("GNOMON_BLESS").is_some() {
        fs::write(&path, [before, MARKS[0], "\n", &table(), "\n", MARKS[1], after].concat()).unwrap();
    } else {
        assert!(
            listed == format!("\n{}\n", table()),
            "docs/metrics.md is old: run this test once with GNOMON_BLESS=1, and look at the difference"
        );
    }
    for name in mentioned(&page) {
        assert!(
            names::ALL.iter().any(|measure| measure.name == name),
            "docs/metrics.md names {name}, which is no measure"
        );
    }
}

/// Words of a text that look like a measure; without the suffixes of histograms.
fn mentioned(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let words = words.filter(|word| {
        ["gnomon_", "event_store_", "event_replay_", "event_handler_", "process_"]
            .iter()
            .any(|start| word.starts_with(start))
    });
    words
        .filter(|word| !word.ends_with('_'))
        .map(|word| {
            let known =
                |suffix: &str| word.strip_suffix(suffix).filter(|name| names::ALL.iter().any(|of| of.name == *name));
            ["_bucket", "_sum", "_count"].iter().find_map(|suffix| known(suffix)).unwrap_or(word)
        })
        .collect()
}

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the alerts, in their order.
fn alerts(rules: &str) -> Vec<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

#[test]
fn rules_dashboard_and_pages_name_measures_that_there_are() {
    for path in [
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts_test.yml",
        "deploy/grafana/gnomon.json",
        "docs/alerts.md",
    ] {
        let text = repository(path);
        let unknown: Vec<&str> = mentioned(&text)
            .into_iter()
            .filter(|name| names::ALL.iter().all(|measure| measure.name != *name))
            .collect();
        assert_eq!(unknown, Vec::<&str>::new(), "{path}");
    }
}

#[test]
fn each_alert_is_tested_and_explained_and_leads_to_its_explanation() {
    let (rules, tests, page) = (
        repository("deploy/prometheus/alerts.yml"),
        repository("deploy/prometheus/alerts_test.yml"),
        repository("docs/alerts.md"),
    );
    let alerts = alerts(&rules);
    let links: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: docs/alerts.md#")).collect();
    assert_eq!(links, alerts.iter().map(|alert| alert.to_ascii_lowercase()).collect::<Vec<_>>());
    for alert in &alerts {
        assert!(tests.contains(&format!("\n  - name: {alert}\n")), "no test of {alert}");
    }
    let explained: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(explained, alerts, "the page explains the alerts in their order");
}

/// What the page on reliability says that may fail, the page on alerts has as well, with alerts that there are.
#[test]
fn faults_raise_alerts() {
    let rows = |page: &str, section: &str| -> Vec<(String, String)> {
        let section =
            page.split(&format!("\n## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        rows.filter(|(fault, _)| *fault != "what fails")
            .map(|(fault, rest)| (fault.to_owned(), rest.to_owned()))
            .collect()
    };
    let faults = rows(&repository("docs/RELIABILITY.md"), "What each fault does");
    let raised = rows(&repository("docs/alerts.md"), "Which alert a fault raises");
    let rules = repository("deploy/prometheus/alerts.yml");
    assert!(faults.len() > 10, "{faults:?}");
    assert_eq!(
        raised.iter().map(|(fault, _)| fault).collect::<Vec<_>>(),
        faults.iter().map(|(fault, _)| fault).collect::<Vec<_>>()
    );
    for (fault, text) in raised {
        let named: Vec<&str> = text.split('`').filter(|part| part.starts_with("Gnomon")).collect();
        assert!(!named.is_empty() && named.iter().all(|alert| alerts(&rules).contains(alert)), "{fault}: {text}");
    }
}
