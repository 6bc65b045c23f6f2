//! An OIDC issuer on this machine, as far as a host asks one.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, http::header, routing::get};
use serde_json::{Value, json};
use test_support::SigningKey;
use tokio::{net::TcpListener, task::JoinHandle};

/// An issuer. It may go away and come back.
pub(crate) struct Issuer {
    address: SocketAddr,
    published: Arc<Mutex<Vec<Value>>>,
    serving: Option<JoinHandle<()>>,
}

impl Issuer {
    /// Starts one that publishes these keys.
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let published = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut issuer = Self { address: listener.local_addr().unwrap(), published, serving: None };
        issuer.publish(keys);
        issuer.serve(listener);
        issuer
    }

    fn serve(&mut self, listener: TcpListener) {
        let issuer = self.url();
        let discovery = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "token_endpoint": format!("{issuer}/token")});
        // No connection outlives its answer, so nobody is answered by an issuer that has gone.
        let answer = |said: Value| ([(header::CONNECTION, "close")], Json(said));
        let keys =
            async move |State(keys): State<Arc<Mutex<Vec<Value>>>>| answer(json!({"keys": *keys.lock().unwrap()}));
        let router = Router::new()
            .route("/realms/main/.well-known/openid-configuration", get(async move || answer(discovery)))
            .route("/realms/main/jwks", get(keys))
            .with_state(Arc::clone(&self.published));
        self.serving = Some(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
    }

    /// As `iss` has it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/realms/main", self.address)
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        *self.published.lock().unwrap() = keys.iter().map(|key| key.jwk()).collect();
    }

    /// It is gone.
    pub(crate) async fn leave(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// It is there again, at the same place.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    /// The claims of `ada`, with these roles, for so many seconds.
    pub(crate) fn claims(&self, roles: &[&str], seconds: u64) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": self.url(), "sub": "ada", "aud": ["account", "gnomon"], "iat": now, "exp": now + seconds,
            "scope": "openid profile", "realm_access": {"roles": roles},
        })
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}
