//! The builds after a run, and what was read during it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    expected::{Expected, Projection},
    inject::{UPCASTER, upcaster_is_active},
    readers::Seen,
};
use crate::support::{Host, until};

/// Checks that each read was right at its position. Which upcasters its build has is not known, but they are always the same.
pub(super) fn check_reads(projection: Projection, seen: &[Seen], log: &[Value]) {
    // The total is the same in every version.
    let expected = [false, true].map(|upcasted| Expected::of(projection, 1, upcasted, log));
    let mut builds: BTreeMap<u64, Vec<&Seen>> = BTreeMap::new();
    for seen in seen.iter().filter(|seen| seen.projection == projection) {
        builds.entry(seen.build).or_default().push(seen);
    }
    for (build, seen) in builds {
        let wrong = |expected: &Expected| {
            let wrong = seen.iter().find(|seen| seen.total != expected.total_at(seen.position));
            wrong.map(|seen| format!("{seen:?}, not {}", expected.total_at(seen.position)))
        };
        if let [Some(without), Some(with)] = expected.each_ref().map(wrong) {
            panic!("{projection:?}, build {build}: without upcaster {without}; with it {with}");
        }
    }
}

/// Checks that every build that is not retired holds the rows of a fresh replay, and that these are the expected ones.
pub(super) async fn check_builds(host: &Host, log: &[Value]) {
    let head = u64::try_from(log.len()).unwrap();
    let mut before = Vec::new();
    for projection in Projection::ALL {
        let builds = until_caught_up(host, projection, head).await;
        before.extend(builds.into_iter().map(|build| (projection, build)));
    }
    let now = upcaster_is_active(host).await.unwrap();
    for upcasted in [now, !now] {
        set_upcaster(host, upcasted).await;
        let of_this = before.iter().filter(|(_, build)| is_upcasted(build) == upcasted);
        let versions: BTreeSet<(Projection, u64)> =
            of_this.map(|(projection, build)| (*projection, build["version"].as_u64().unwrap())).collect();
        for (projection, version) in versions {
            let builds = before.iter().filter(|(of, build)| {
                *of == projection && build["version"] == json!(version) && is_upcasted(build) == upcasted
            });
            let builds: Vec<&Value> = builds.map(|(_, build)| build).collect();
            check_version(host, projection, version, &builds, head).await;
            let name = projection.name();
            let columns = projection.columns();
            let key = columns.split(',').next().unwrap();
            let rows = host.rows_at(&format!("{}?select={columns}&order={key}", projection.table()), head).await;
            let expected = Expected::of(projection, version, upcasted, log).rows(projection);
            assert_eq!(rows, expected, "{name}, version {version}, upcasted: {upcasted}");
        }
    }
}

/// Compares builds of one version with a fresh replay, which becomes the active build.
async fn check_version(host: &Host, projection: Projection, version: u64, builds: &[&Value], head: u64) {
    let name = projection.name();
    let fresh = host.post(&format!("/v1/projections/{name}/rebuild?version={version}&activate=manual")).await;
    assert_eq!(fresh.status, StatusCode::CREATED, "{fresh:?}");
    let fresh = fresh.body["build"].as_u64().unwrap();
    host.until_state(name, fresh, "live").await;
    for build in builds {
        let answer = host.get(&format!("/v1/projections/{name}/compare?left={fresh}&right={}", build["build"])).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let found = (&answer.body["identical"], &answer.body["position"]);
        assert_eq!(found, (&json!(true), &json!(head)), "{name} {build} and a fresh replay: {answer:?}");
    }
    let activated = host.post(&format!("/v1/projections/{name}/activate?build={fresh}")).await;
    assert_eq!(activated.status, StatusCode::OK, "{activated:?}");
}

/// Starts what an operator has stopped, and waits for all builds that are not retired.
async fn until_caught_up(host: &Host, projection: Projection, head: u64) -> Vec<Value> {
    let name = projection.name();
    let kept = async || {
        let builds = host.projection(name).await["builds"].as_array().unwrap().clone();
        builds.into_iter().filter(|build| build["state"] != "retired").collect::<Vec<_>>()
    };
    for build in kept().await {
        let ok = ["active", "live", "replaying", "paused"].map(Value::from).contains(&build["state"]);
        assert!(ok, "no build of {name} has a reason to stop: {build}");
        if build["state"] == "paused" {
            let resumed = host.post(&format!("/v1/projections/{name}/resume?build={}", build["build"])).await;
            assert_eq!(resumed.status, StatusCode::OK, "{resumed:?}");
        }
    }
    let caught_up =
        |build: &Value| build["checkpoint"] == json!(head) && (build["state"] == "active" || build["state"] == "live");
    until(&format!("every build of {name} is at {head}"), async || kept().await.iter().all(caught_up)).await;
    kept().await
}

fn is_upcasted(build: &Value) -> bool {
    build["upcasters"].as_array().is_some_and(|upcasters| !upcasters.is_empty())
}

async fn set_upcaster(host: &Host, active: bool) {
    if upcaster_is_active(host).await == Some(active) {
        return;
    }
    let verb = if active { "activate" } else { "deactivate" };
    let answer = host.post(&format!("/v1/upcasters/{UPCASTER}/{verb}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for build in answer.body["builds"].as_array().unwrap() {
        let (name, build) = (build["projection"].as_str().unwrap(), build["build"].as_u64().unwrap());
        host.until_state(name, build, "active").await;
    }
}
