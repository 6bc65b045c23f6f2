//! Opt-in tokens: whoever signs up confirms it once, with the token that was sent to the address, before the token expires.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::decide::{Decided, Hosts, accepted, is, text};

/// Minutes for which a token can be used.
const VALID: u32 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    NotPending,
    Used,
    Expired,
}

/// A sign-up by its address and its token.
#[derive(Default)]
struct SignUp {
    name: Option<String>,
    /// The minute in which it began.
    began: u32,
    is_confirmed: bool,
}

impl SignUp {
    fn see(&mut self, event: &Value) {
        if is(event, "SignUpConfirmed") {
            self.is_confirmed = true;
        } else {
            let minute = event["time"].as_str().unwrap()[14..16].parse().unwrap();
            *self = Self { name: Some(text(event, "name").to_owned()), began: minute, is_confirmed: false };
        }
    }
}

fn event(event_type: &str, minute: u32, name: &str, email: &str, token: &str) -> Value {
    let tags = [format!("email:{email}"), format!("token:{token}")];
    json!({"type": event_type, "time": format!("2026-01-05T08:{minute:02}:00Z"), "data": {"name": name}, "tags": tags})
}

async fn begin(hosts: &Hosts, minute: u32, name: &str, email: &str, token: &str) {
    let began = event("SignUpBegan", minute, name, email, token);
    hosts.next().append_events(&format!("sign-up-{token}"), &json!([began])).await;
}

async fn confirm(hosts: &Hosts, minute: u32, email: &str, token: &str) -> Result<Decided, Refused> {
    // Events that have both tags: the token of another address is none.
    let query = json!({"items": [{
        "types": ["SignUpBegan", "SignUpConfirmed"], "tags": [format!("email:{email}"), format!("token:{token}")],
    }]});
    let decide = |sign_up: &SignUp| match &sign_up.name {
        None => Err(Refused::NotPending),
        Some(_) if sign_up.is_confirmed => Err(Refused::Used),
        Some(_) if minute > sign_up.began + VALID => Err(Refused::Expired),
        Some(name) => Ok(vec![event("SignUpConfirmed", minute, name, email, token)]),
    };
    hosts.decide(&query, SignUp::see, decide).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_confirms_the_sign_up_of_its_address_once_before_it_expires() {
    let hosts = Hosts::start().await;
    assert_eq!(confirm(&hosts, 1, "ada@example.org", "1111").await.unwrap_err(), Refused::NotPending);
    begin(&hosts, 1, "Ada", "ada@example.org", "1111").await;
    begin(&hosts, 1, "Bob", "bob@example.org", "2222").await;
    assert_eq!(confirm(&hosts, 2, "bob@example.org", "1111").await.unwrap_err(), Refused::NotPending);
    confirm(&hosts, 2, "ada@example.org", "1111").await.unwrap();
    assert_eq!(confirm(&hosts, 3, "ada@example.org", "1111").await.unwrap_err(), Refused::Used);
    assert_eq!(confirm(&hosts, 2 + VALID, "bob@example.org", "2222").await.unwrap_err(), Refused::Expired);
    confirm(&hosts, 1 + VALID, "bob@example.org", "2222").await.unwrap();
    let log = hosts.log().await;
    let confirmed = log.iter().filter(|event| is(event, "SignUpConfirmed")).map(|event| text(event, "name"));
    assert_eq!(confirmed.collect::<Vec<_>>(), ["Ada", "Bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_used_by_many_at_once_is_used_once() {
    let hosts = Hosts::start().await;
    for token in 0..8 {
        let token = token.to_string();
        begin(&hosts, 1, "Ada", "ada@example.org", &token).await;
        let confirmed = join_all((0..16).map(|_| confirm(&hosts, 2, "ada@example.org", &token))).await;
        assert_eq!(accepted(confirmed, &Refused::Used), 1);
    }
    assert_eq!(hosts.log().await.len(), 16);
}
