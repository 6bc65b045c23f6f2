//! Keys that change, and an issuer that goes away. It is a real one, which counts how often it is asked.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use test_support::SigningKey;
use tokio::{net::TcpListener, sync::Barrier};
use tokio_util::task::AbortOnDropHandle;

use super::{
    keys::{Keys, Pauses},
    tests::{claims, set},
    *,
};
use crate::access::{AuthenticateError, Refusal, tries::Tries};

/// What tests do not wait for.
const NEVER: Duration = Duration::from_secs(3600);

/// A real issuer on this machine.
struct Served {
    url: String,
    said: Arc<Said>,
    _serving: AbortOnDropHandle<()>,
}

/// What it says.
#[derive(Default)]
struct Said {
    discovery: Mutex<Value>,
    /// `None`: it fails.
    keys: Mutex<Option<Value>>,
    asked: AtomicUsize,
}

impl Served {
    async fn start(keys: Option<Value>) -> Self {
        let said = Arc::new(Said { keys: Mutex::new(keys), ..Said::default() });
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async |State(said): State<Arc<Said>>| said.discovery.lock().unwrap().to_string()),
            )
            .route(
                "/keys",
                get(async |State(said): State<Arc<Said>>| {
                    said.asked.fetch_add(1, Ordering::Relaxed);
                    let keys = said.keys.lock().unwrap().clone();
                    keys.map(|keys| keys.to_string()).ok_or(StatusCode::INTERNAL_SERVER_ERROR)
                }),
            )
            .with_state(Arc::clone(&said));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        *said.discovery.lock().unwrap() = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, said, _serving: AbortOnDropHandle::new(serving) }
    }

    fn asked(&self) -> usize {
        self.said.asked.load(Ordering::Relaxed)
    }

    fn publish(&self, keys: Option<Value>) {
        *self.said.keys.lock().unwrap() = keys;
    }

    /// A host that asks it.
    fn host(&self, pauses: Pauses) -> Host {
        Host::start(&self.url, KeySource::Discovery, pauses)
    }

    fn sign(&self, key: &SigningKey) -> String {
        let mut claims = claims();
        claims["iss"] = json!(self.url);
        key.sign(&claims)
    }
}

struct Host {
    issuer: Issuer,
    tries: Tries,
}

impl Host {
    fn start(issuer: &str, keys: KeySource, pauses: Pauses) -> Self {
        let settings = JwtSettings {
            issuer: IssuerUrl::of_issuer(issuer).unwrap(),
            audiences: vec!["gnomon".to_owned()],
            keys,
            scopes_claim: JwtSettings::SCOPES_CLAIM.to_owned(),
            clock_skew: Duration::ZERO,
            ca_file: None,
        };
        let keys = Keys::start_asking(&settings, pauses).unwrap();
        Self { issuer: Issuer::with(settings, keys), tries: Tries::default() }
    }

    /// What becomes of a JWT, in a word.
    async fn outcome(&self, jwt: &str) -> &'static str {
        let head = Head::of(jwt).unwrap();
        match self.issuer.authenticate(jwt, &head, None, &self.tries).await {
            Ok(_) => "taken",
            Err(AuthenticateError::NoKeys) => "no keys",
            Err(AuthenticateError::Refused(Refusal::Jwt(JwtRefusal::UnknownKey))) => "unknown key",
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn until(&self, jwt: impl Fn() -> String, outcome: &str) {
        tokio::time::timeout(Duration::from_secs(30), async {
            while self.outcome(&jwt()).await != outcome {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("never {outcome}"));
    }
}

/// Asks once, and then because of JWTs only.
fn when_wanted() -> Pauses {
    Pauses { every: NEVER, least: Duration::ZERO }
}

#[tokio::test]
async fn a_request_waits_for_the_first_keys() {
    let key = SigningKey::ed("a");
    let served = Served::start(Some(set(&[&key]))).await;
    let host = served.host(when_wanted());
    assert_eq!(host.issuer.keys_age(), None);
    assert_eq!(host.outcome(&served.sign(&key)).await, "taken");
    assert!(host.issuer.keys_age().is_some());
    assert_eq!(served.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_when_a_jwt_names_it_and_one_that_is_gone_is_not_taken() {
    let (old, new) = (SigningKey::ed("old"), SigningKey::ec("new"));
    let served = Served::start(Some(set(&[&old]))).await;
    let host = served.host(when_wanted());
    assert_eq!(host.outcome(&served.sign(&old)).await, "taken");
    served.publish(Some(set(&[&old, &new])));
    assert_eq!(host.outcome(&served.sign(&new)).await, "taken");
    assert_eq!(served.asked(), 2);
    assert_eq!(host.outcome(&served.sign(&old)).await, "taken");
    assert_eq!(served.asked(), 2, "a known key asks for nothing");
    served.publish(Some(set(&[&new])));
    assert_eq!(host.outcome(&served.sign(&SigningKey::ed("other"))).await, "unknown key");
    // Another JWT than the one that was just taken.
    let mut another = claims();
    (another["iss"], another["jti"]) = (json!(served.url), json!(1));
    assert_eq!(host.outcome(&old.sign(&another)).await, "unknown key");
}

#[tokio::test]
async fn an_unknown_key_has_the_issuer_asked_once_in_a_while_however_many_jwts_name_it() {
    let served = Served::start(Some(set(&[&SigningKey::ed("a")]))).await;
    let host = Arc::new(served.host(Pauses { every: NEVER, least: NEVER }));
    let (unknown, together) = (served.sign(&SigningKey::ed("unknown")), Arc::new(Barrier::new(20)));
    let asking = (0..20).map(|_| {
        let (host, unknown, together) = (Arc::clone(&host), unknown.clone(), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            host.outcome(&unknown).await
        })
    });
    for outcome in futures_util::future::join_all(asking).await {
        assert_eq!(outcome.unwrap(), "unknown key");
    }
    assert_eq!(host.outcome(&unknown).await, "unknown key");
    assert_eq!(served.asked(), 1, "twenty requests and one more, one question");

    let soon = served.host(Pauses { every: NEVER, least: Duration::from_millis(10) });
    let before = served.asked();
    while served.asked() < before + 3 {
        assert_eq!(soon.outcome(&unknown).await, "unknown key");
        // Not as many as would be too many tries.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn keys_are_asked_for_again_and_again() {
    let (old, new) = (SigningKey::ed("old"), SigningKey::ed("new"));
    let served = Served::start(Some(set(&[&old]))).await;
    // No JWT asks: the pause between two is never over.
    let host = served.host(Pauses { every: Duration::from_millis(10), least: NEVER });
    assert_eq!(host.outcome(&served.sign(&old)).await, "taken");
    served.publish(Some(set(&[&new])));
    host.until(|| served.sign(&new), "taken").await;
}

#[tokio::test]
async fn the_last_keys_hold_while_the_issuer_is_away() {
    let key = SigningKey::ed("a");
    let served = Served::start(None).await;
    let host = served.host(Pauses { every: Duration::from_millis(10), least: Duration::from_millis(10) });
    assert_eq!(host.outcome(&served.sign(&key)).await, "no keys");
    assert_eq!(host.issuer.keys_age(), None);
    served.publish(Some(set(&[&key])));
    host.until(|| served.sign(&key), "taken").await;
    served.publish(None);
    let age = async || {
        let before = host.issuer.keys_age().unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        host.issuer.keys_age().unwrap() > before
    };
    while !age().await {}
    let mut another = claims();
    (another["iss"], another["jti"]) = (json!(served.url), json!(2));
    assert_eq!(host.outcome(&key.sign(&another)).await, "taken");
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_only_and_its_keys_come_by_tls() {
    let key = SigningKey::ed("a");
    let served = Served::start(Some(set(&[&key]))).await;
    for discovery in [
        json!({"issuer": "https://other.example", "jwks_uri": format!("{}/keys", served.url)}),
        json!({"issuer": format!("{}/", served.url), "jwks_uri": format!("{}/keys", served.url)}),
        json!({"issuer": served.url, "jwks_uri": "http://keys.example/keys"}),
        json!({"issuer": served.url}),
        json!([]),
    ] {
        *served.said.discovery.lock().unwrap() = discovery.clone();
        assert_eq!(served.host(when_wanted()).outcome(&served.sign(&key)).await, "no keys", "{discovery}");
    }
    assert_eq!(served.asked(), 0);
    // Where the keys are may be said by the operator instead.
    let url = IssuerUrl::new(&format!("{}/keys", served.url)).unwrap();
    let host = Host::start("https://login.example/", KeySource::Url(url), when_wanted());
    assert_eq!(host.outcome(&key.sign(&claims())).await, "taken");
}

#[tokio::test]
async fn what_is_no_set_of_keys_changes_nothing() {
    let key = SigningKey::ed("a");
    let served = Served::start(Some(json!("<html>"))).await;
    let host = served.host(when_wanted());
    assert_eq!(host.outcome(&served.sign(&key)).await, "no keys");
    served.publish(Some(json!({"keys": [key.jwk()], "more": "x".repeat(MAX_ISSUER_ANSWER_BYTES)})));
    assert_eq!(host.outcome(&served.sign(&key)).await, "no keys");
    served.publish(Some(set(&[&key])));
    assert_eq!(host.outcome(&served.sign(&key)).await, "taken");
    served.publish(Some(json!([])));
    assert_eq!(host.outcome(&served.sign(&SigningKey::ed("b"))).await, "unknown key");
    // An issuer that withdraws all of its keys is believed.
    served.publish(Some(json!({"keys": []})));
    let mut another = claims();
    (another["iss"], another["jti"]) = (json!(served.url), json!(3));
    assert_eq!(host.outcome(&served.sign(&SigningKey::ed("b"))).await, "unknown key");
    assert_eq!(host.outcome(&key.sign(&another)).await, "unknown key");
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_and_a_bad_one_changes_nothing() {
    let (old, new) = (SigningKey::ed("old"), SigningKey::ed("new"));
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("keys.json");
    fs::write(&path, set(&[&old]).to_string()).unwrap();
    let pauses = Pauses { every: Duration::from_millis(10), least: Duration::from_millis(10) };
    let host = Host::start("https://login.example/", KeySource::File(path.clone()), pauses);
    assert_eq!(host.outcome(&old.sign(&claims())).await, "taken");
    fs::write(&path, "{").unwrap();
    assert_eq!(host.outcome(&new.sign(&claims())).await, "unknown key");
    assert_eq!(host.outcome(&old.sign(&claims())).await, "taken");
    fs::write(&path, set(&[&new]).to_string()).unwrap();
    host.until(|| new.sign(&claims()), "taken").await;
    let mut another = claims();
    another["jti"] = json!(4);
    assert_eq!(host.outcome(&old.sign(&another)).await, "unknown key");
}
