//! What operators do to projections, cut off: the host that was asked is killed on the way.

use std::time::Duration;

use rand::RngExt;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use super::Injector;
use crate::{
    faults::expected::Projection,
    support::{Host, until},
};

/// Longer than a host takes for it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The upcaster that makes an event `Counted` of each `Added`.
pub(in crate::faults) const UPCASTER: &str = "added";

impl Injector {
    /// Sends a request to a host, which is killed meanwhile, or not. Returns the hosts that may fail.
    async fn send_and_kill(&mut self, index: usize, request: RequestBuilder) -> Vec<usize> {
        let answer = tokio::spawn(request.timeout(REQUEST_TIMEOUT).send());
        if self.random.random_bool(0.5) {
            let _ = answer.await;
            return Vec::new();
        }
        let after = Duration::from_millis(self.random.random_range(0..60));
        tokio::time::sleep(after).await;
        self.kill_hosts(vec![index]).await
    }

    /// Activates the upcaster if it is inactive, and else deactivates it. Its projections are built again.
    pub(super) async fn change_upcasters(&mut self, index: usize) -> Vec<usize> {
        let mut active = None;
        let host = &self.hosts[index];
        until("the upcasters are listed", async || {
            active = upcaster_is_active(host).await;
            active.is_some()
        })
        .await;
        let wanted = active == Some(false);
        let path = format!("/v1/upcasters/{UPCASTER}/{}", if wanted { "activate" } else { "deactivate" });
        let request = host.request(Method::POST, &path);
        let broken = self.send_and_kill(index, request).await;
        let host = &self.hosts[index];
        until("the upcasters are as they should be", async || {
            let found = upcaster_is_active(host).await;
            if found.is_some_and(|found| found != wanted) {
                let _ = host.try_send(host.request(Method::POST, &path)).await;
            }
            found == Some(wanted)
        })
        .await;
        broken
    }

    pub(super) async fn retire_build(&mut self, index: usize) -> Vec<usize> {
        let (projection, build) = self.begin_replay(index).await;
        let path = format!("/v1/projections/{projection}/builds/{build}");
        let request = self.hosts[index].request(Method::DELETE, &path);
        let broken = self.send_and_kill(index, request).await;
        let host = &self.hosts[index];
        until("the build is retired, or the active one", async || {
            let found = get(host, &format!("/v1/projections/{projection}")).await;
            let builds = found.iter().flat_map(|found| found["builds"].as_array()).flatten();
            let mut builds = builds.filter(|found| found["build"] == build);
            // An operator may have activated it meanwhile.
            let is_done =
                found.is_some() && builds.all(|found| found["state"] == "retired" || found["state"] == "active");
            if !is_done {
                let _ = host.try_send(host.request(Method::DELETE, &path)).await;
            }
            is_done
        })
        .await;
        broken
    }

    /// A projection is deleted, and deployed again.
    pub(super) async fn delete_projection(&mut self, index: usize) -> Vec<usize> {
        let name = Projection::Brief.name();
        let path = format!("/v1/projections/{name}");
        let request = self.hosts[index].request(Method::DELETE, &path);
        let broken = self.send_and_kill(index, request).await;
        let host = &self.hosts[index];
        until("the projection is deleted", async || {
            let again = host.try_send(host.request(Method::DELETE, &path)).await;
            again.is_ok_and(|answer| answer.status == StatusCode::NOT_FOUND)
        })
        .await;
        let component = &self.brief;
        until("the projection is deployed", async || {
            let request = host.request(Method::PUT, &format!("/v1/modules/{name}"));
            let request = request.header("content-type", "application/wasm").body(component.clone());
            host.try_send(request).await.is_ok_and(|answer| answer.status.is_success())
        })
        .await;
        broken
    }
}

/// What a path answers with 200.
async fn get(host: &Host, path: &str) -> Option<Value> {
    let answer = host.try_send(host.request(Method::GET, path)).await.ok()?;
    (answer.status == StatusCode::OK).then_some(answer.body)
}

/// Whether the upcaster is active; `None` if the host cannot say so.
pub(in crate::faults) async fn upcaster_is_active(host: &Host) -> Option<bool> {
    let found = get(host, "/v1/upcasters").await?;
    Some(found["upcasters"].as_array()?.iter().any(|upcaster| upcaster["name"] == UPCASTER))
}
