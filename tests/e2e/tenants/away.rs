//! The Postgres of one tenant goes away, and comes back.

use gnomon::postgres::test_database::TestDatabase;
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::json;
use test_support::{HostClient, until};

use super::Tenanted;
use crate::support::Postgres;

async fn can_append(tenant: &HostClient) -> bool {
    let body = json!({"events": [{"type": "T", "data": 1}]});
    tenant.append("a-1", &body).await.status == StatusCode::CREATED
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_goes_away_is_one_tenants_trouble() {
    let (mut postgres, database) = (Postgres::start().await, TestDatabase::create().await);
    let tenants = json!({"acme": {"database": postgres.url()}, "beta": {"database": database.url()}});
    let mut host = Tenanted::start(&tenants, &["--append-timeout", "2", "--answer-timeout", "1"]).await;
    let (acme, beta) = (host.tenant("acme", ""), host.tenant("beta", ""));
    assert!(can_append(&acme).await && can_append(&beta).await);
    assert_eq!(host.json("/health/ready").await, json!({"status": "ready", "tenants": 2, "ready": 2, "not_ready": []}));

    postgres.end(Signal::SIGKILL).await;
    until("the host says which tenant is not ready", async || {
        host.json("/health/ready").await["not_ready"] == json!(["acme"])
    })
    .await;
    assert_eq!(acme.get("/v1/events").await.status, StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..20 {
        assert!(can_append(&beta).await);
    }
    postgres.start_again().await;
    until("both are served again", async || can_append(&acme).await).await;
    until("and the host says so", async || host.json("/health/ready").await["ready"] == 2).await;
    assert!(can_append(&beta).await);

    // A host that starts meanwhile is there for the others, and for this one later.
    postgres.end(Signal::SIGKILL).await;
    host.restart().await;
    let (acme, beta) = (host.tenant("acme", ""), host.tenant("beta", ""));
    assert!(can_append(&beta).await);
    let away = acme.get("/v1/events").await;
    assert_eq!((away.status, &away.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("starting")));
    assert!(host.has_logged("the tenant is not served, and is tried again"));
    postgres.start_again().await;
    until("the tenant is served", async || acme.get("/v1/events").await.status == StatusCode::OK).await;
    assert!(can_append(&acme).await);
    let events = acme.json("/v1/events").await;
    assert!(events["events"].as_array().unwrap().len() >= 3, "{events}");

    // One that waits for a Postgres stops as any other one.
    postgres.end(Signal::SIGKILL).await;
    host.restart().await;
    host.stop().await;
}
