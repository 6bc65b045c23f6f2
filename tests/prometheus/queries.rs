//! The queries of the dashboard and of the rules.

use std::{fs, path::Path};

use serde_json::Value;

use crate::server::Rule;

/// Every query of every panel, as Grafana sends it when everything is chosen.
pub(crate) fn of_dashboard(path: &Path) -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let queries: Vec<String> = targets
        .map(|target| {
            let query = target["expr"].as_str().unwrap().replace("$__rate_interval", "1m");
            query.replace("$job", "gnomon").replace("$instance", ".*").replace("$projection", ".*")
        })
        .collect();
    assert!(queries.len() > 50 && queries.iter().all(|query| !query.contains('$')), "{queries:#?}");
    queries
}

/// What a rule looks at: where all is well it gives nothing, but each measure in it gives series. Of the states of builds, each is one that
/// builds can have.
pub(crate) fn selectors_of_rule(rule: &Rule, states: &[String]) -> Vec<String> {
    let mut selectors = Vec::new();
    let mut rest = rule.query.as_str();
    while let Some(at) = ["gnomon_", "event_", "up{"].iter().filter_map(|start| rest.find(start)).min() {
        rest = &rest[at..];
        let end = rest.find('}').unwrap_or_else(|| panic!("{rule:?}: each selector names its job"));
        let selector = &rest[..=end];
        assert!(selector.contains("{job=\"gnomon\""), "{rule:?}: {selector}");
        // Prometheus has the labels in their order, with `role` before `state`.
        if selector.starts_with("gnomon_reactor_state{") {
            let known = ["running", "paused", "halted", "failed"];
            assert!(known.iter().any(|state| selector.contains(&format!("state=\"{state}\""))), "{selector}");
            selectors.push("gnomon_reactor_state{job=\"gnomon\"}".to_owned());
            rest = &rest[end..];
            continue;
        }
        let state = selector.strip_prefix("gnomon_build_state{").and_then(|labels| labels.split("state=\"").nth(1));
        selectors.push(match state {
            Some(state) => {
                let state = state.split('"').next().unwrap_or_default();
                assert!(states.iter().any(|known| known == state), "{state} is not among {states:?}");
                "gnomon_build_state{job=\"gnomon\"}".to_owned()
            }
            None => selector.to_owned(),
        });
        rest = &rest[end..];
    }
    assert!(!selectors.is_empty(), "{rule:?}");
    selectors
}
