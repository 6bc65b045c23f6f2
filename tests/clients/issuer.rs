//! A program gets JWTs of `oidc-provider` by its own name and secret, and a host takes them.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{here, program::HostProcess};

/// An issuer that runs. It is killed when this is dropped.
struct Issuer(Child);

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has it sign by each algorithm, and checks what a host makes of that.
pub(crate) async fn check(mut program: Command, script: &str) {
    program.arg(here().join(script)).stdout(Stdio::piped());
    let mut issuer = Issuer(program.spawn().unwrap());
    let mut lines = BufReader::new(issuer.0.stdout.take().unwrap()).lines();
    let url = tokio::task::spawn_blocking(move || lines.next()).await.unwrap().expect("its URL").unwrap();
    let database = TestDatabase::create().await;
    let options = ["--auth", "tokens", "--jwt-issuer", &url, "--jwt-audience", "gnomon"].map(str::to_owned);
    let host = HostProcess::start(&database.url(), Arc::new(tempfile::tempdir().unwrap()), &options).await;
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let resource = format!("urn:gnomon:{algorithm}");
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "append=order read:events=order"),
            ("resource", resource.as_str()),
        ];
        let form: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let asked = test_support::client()
            .post(format!("{url}/token"))
            // RFC 6749 has the secret encoded as in a form.
            .basic_auth("shop", Some("a+secret+of+the+shop+that+is+long+enough"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.join("&"));
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        let jwt = answer["access_token"].as_str().unwrap_or_else(|| panic!("{algorithm}: {answer}"));
        let send = async |method: Method, path: &str, body: Value| {
            let request = host.request(method, path).bearer_auth(jwt);
            host.send(if body.is_null() { request } else { request.json(&body) }).await
        };
        let who = send(Method::GET, "/v1/whoami", Value::Null).await;
        assert_eq!(who.status, 200, "{algorithm}: {}", who.body);
        assert_eq!(
            (&who.body["who"], &who.body["scopes"]),
            (&json!("jwt shop"), &json!(["append=order", "read:events=order"]))
        );
        let stream = format!("order-{algorithm}");
        let body = json!({"events": [{"type": "Signed", "data": algorithm}]});
        let appended = send(Method::POST, &format!("/v1/streams/{stream}/events"), body.clone()).await;
        assert_eq!(appended.status, 201, "{}", appended.body);
        assert_eq!(send(Method::POST, "/v1/streams/account-1/events", body).await.status, 403);
        let read = send(Method::GET, &format!("/v1/streams/{stream}/events"), Value::Null).await;
        assert_eq!(read.body["events"][0]["data"], json!(algorithm), "{}", read.body);
        println!("ok oidc-provider signs by {algorithm}");
    }
}
