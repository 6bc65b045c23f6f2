//! A clearing house that a test holds back.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::support::until;

/// What a clearing house is asked to do with a transfer: `clear` or `revoke`, and the transfer.
type Asked = (String, String);

/// A clearing house, which clears each transfer that is not named `refused-…`.
pub(super) struct ClearingHouse {
    address: SocketAddr,
    state: Arc<Asking>,
}

struct Asking {
    /// The keys under which it was asked, each as often as it was.
    keys: Mutex<BTreeMap<Asked, Vec<String>>>,
    /// What is not answered for now.
    held: watch::Sender<Option<Asked>>,
}

impl ClearingHouse {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Asking { keys: Mutex::default(), held: watch::Sender::new(None) });
        let router = Router::new().route("/clear", post(answer)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/clear", self.address)
    }

    /// From now on this is not answered.
    pub(super) fn hold(&self, action: &str, transfer: &str) {
        self.state.held.send_replace(Some((action.to_owned(), transfer.to_owned())));
    }

    /// Answers all.
    pub(super) fn release(&self) {
        self.state.held.send_replace(None);
    }

    /// Waits until it has been asked for something.
    pub(super) async fn asked(&self, action: &str, transfer: &str) {
        let asked = (action.to_owned(), transfer.to_owned());
        let what = format!("the clearing house is asked to {action} {transfer}");
        until(&what, async || self.state.keys.lock().unwrap().contains_key(&asked)).await;
    }

    /// The keys under which it was asked for each thing, each once.
    pub(super) fn keys(&self) -> BTreeMap<Asked, BTreeSet<String>> {
        let keys = self.state.keys.lock().unwrap();
        keys.iter().map(|(asked, keys)| (asked.clone(), keys.iter().cloned().collect())).collect()
    }

    /// How often it was asked.
    pub(super) fn times(&self) -> usize {
        self.state.keys.lock().unwrap().values().map(Vec::len).sum()
    }
}

async fn answer(
    State(state): State<Arc<Asking>>,
    headers: HeaderMap,
    Json(call): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let asked = (text("action"), text("transfer"));
    let key = headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap_or_default()).to_owned();
    state.keys.lock().unwrap().entry(asked.clone()).or_default().push(key);
    let _ = state.held.subscribe().wait_for(|held| held.as_ref() != Some(&asked)).await;
    let is_refused = asked.0 == "clear" && asked.1.starts_with("refused-");
    let status = if is_refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, Json(json!({"transfer": asked.1})))
}
