//! A host that takes JWTs of an issuer, which changes its keys, goes away and comes back.

use std::time::Duration;

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, header};
use serde_json::{Value, json};
use test_support::SigningKey;

use super::{command, first_token, issuer::Issuer, refused, run, whoami};
use crate::support::{Host, gnomon, until};

async fn host_of(database: &TestDatabase, issuer: &Issuer) -> Host {
    let url = issuer.url();
    let arguments =
        ["--auth", "tokens", "--jwt-issuer", &url, "--jwt-audience", "gnomon,events", "--jwt-clock-skew", "0"];
    Host::start_with(database, &[&arguments[..], &["--jwt-scopes-claim", "realm_access.roles"]].concat()).await
}

async fn append(host: &Host, jwt: &str, stream: &str) -> (u16, Value) {
    let request = host.request(Method::POST, &format!("/v1/streams/{stream}/events")).bearer_auth(jwt);
    let answer = host.send(request.json(&json!({"events": [{"type": "T", "data": 1}]}))).await;
    (answer.status.as_u16(), answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_does_what_its_scopes_say_for_as_long_as_it_is_valid() {
    let database = TestDatabase::create().await;
    let (ed, ec) = (SigningKey::ed("ed"), SigningKey::ec("ec"));
    let issuer = Issuer::start(&[&ed, &ec]).await;
    let host = host_of(&database, &issuer).await;
    for key in [&ed, &ec] {
        let jwt = key.sign(&issuer.claims(&["offline_access", "append=order", "read:events=order", "operate"], 600));
        let (status, who) = whoami(&host, &jwt).await;
        assert_eq!((status, &who["who"]), (200, &json!("jwt ada")), "{who}");
        assert_eq!(who["scopes"], json!(["append=order", "read:events=order", "operate"]));
        assert!((1..=600).contains(&who["expires_in_seconds"].as_u64().unwrap()), "{who}");
        assert_eq!(append(&host, &jwt, "order-1").await.0, 201);
        let (status, other) = append(&host, &jwt, "account-1").await;
        assert_eq!((status, &other["code"]), (403, &json!("forbidden")));
        assert!(other["detail"].as_str().unwrap().contains("the JWT of `ada` has append=order"), "{other}");
    }

    // Commands take it as they take tokens.
    let jwt = ed.sign(&issuer.claims(&["operate", "deploy"], 600));
    let variables = [("GNOMON_URL", host.url()), ("GNOMON_TOKEN", jwt.as_str())];
    run(command(&["projections"], &variables));
    let home = tempfile::tempdir().unwrap();
    let given = home.path().join("given");
    std::fs::write(&given, format!("{jwt}\n")).unwrap();
    let with_home = [("GNOMON_URL", host.url()), ("XDG_CONFIG_HOME", home.path().to_str().unwrap())];
    let mut login = command(&["login"], &with_home);
    login.stdin(std::fs::File::open(given).unwrap());
    let said = run(login).1;
    assert!(
        said.contains("you are jwt ada at ") && said.contains("and may operate deploy; it expires in 9 minutes"),
        "{said}"
    );
    run(command(&["projections"], &with_home));

    // Who did something is in the history under the name that the issuer has for them.
    let component = home.path().join("bank.wasm");
    std::fs::write(&component, test_support::component("bank")).unwrap();
    let mut deploy = command(&["deploy", "--name", "bank"], &variables);
    deploy.arg(&component);
    run(deploy);
    run(command(&["pause", "bank"], &variables));
    let history = host.send(host.request(Method::GET, "/v1/projections/bank/history").bearer_auth(&jwt)).await.body;
    assert_eq!(history["history"][0]["actor"], "jwt ada", "{history}");

    // Without scopes of this host it is known who asks, and that is all.
    let nothing = ed.sign(&issuer.claims(&["offline_access"], 600));
    assert_eq!(whoami(&host, &nothing).await.0, 200);
    let (status, none) = append(&host, &nothing, "order-1").await;
    assert!(status == 403 && none["detail"].as_str().unwrap().contains("has no scope that this host knows"), "{none}");

    // Somebody else's signature under the name of a key, and a JWT that was changed.
    let forged = SigningKey::ed("ed").sign(&issuer.claims(&["admin"], 600));
    let (status, answer) = whoami(&host, &forged).await;
    assert!(status == 401 && answer["detail"] == "the signature of the JWT is wrong", "{answer}");
    let mut other = issuer.claims(&["admin"], 600);
    other["aud"] = json!("another-service");
    let (status, answer) = whoami(&host, &ed.sign(&other)).await;
    assert!(status == 401 && answer["detail"].as_str().unwrap().contains("is not for this host"), "{answer}");
    assert!(host.has_logged("jwt ada") && host.has_logged("JWTs of an issuer are taken"));
    for jwt in [&jwt, &nothing, &forged] {
        for part in jwt.split('.') {
            assert!(!host.has_logged(part), "a part of a JWT is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_with_a_jwt_ends_when_it_expires() {
    let database = TestDatabase::create().await;
    let key = SigningKey::ec("a");
    let issuer = Issuer::start(&[&key]).await;
    let host = host_of(&database, &issuer).await;
    let long = key.sign(&issuer.claims(&["append"], 600));
    assert_eq!(append(&host, &long, "order-1").await.0, 201);
    let jwt = key.sign(&issuer.claims(&["read:events=order"], 4));
    let request = host.request(Method::GET, "/v1/events?category=order").header(header::ACCEPT, "text/event-stream");
    let mut follower = request.bearer_auth(&jwt).send().await.unwrap();
    assert_eq!(follower.status(), 200);
    let mut seen = String::new();
    let ended = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            match follower.chunk().await {
                Ok(Some(piece)) => seen.push_str(std::str::from_utf8(&piece).unwrap()),
                Ok(None) => return "as if that was all",
                Err(_) => return "with an error",
            }
        }
    });
    assert_eq!(ended.await.expect("it goes on"), "with an error");
    assert!(seen.contains("order-1"), "{seen}");
    let (status, answer) = whoami(&host, &jwt).await;
    assert!(status == 401 && answer["detail"] == "the JWT has expired (`exp`)", "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_while_the_host_runs() {
    let database = TestDatabase::create().await;
    let (old, new) = (SigningKey::ed("2026-01"), SigningKey::ec("2026-02"));
    let issuer = Issuer::start(&[&old]).await;
    let host = host_of(&database, &issuer).await;
    let by = |key: &SigningKey| key.sign(&issuer.claims(&["read:models"], 600));
    let (of_old, of_new) = (by(&old), by(&new));
    assert_eq!(whoami(&host, &of_old).await.0, 200);
    let unknown = whoami(&host, &of_new).await;
    assert!(
        unknown.0 == 401 && unknown.1["detail"].as_str().unwrap().contains("the issuer does not have"),
        "{unknown:?}"
    );
    issuer.publish(&[&old, &new]);
    // The issuer is asked because a JWT names the key, long before it would be by itself.
    until("the new key is known", async || whoami(&host, &of_new).await.0 == 200).await;
    assert_eq!(whoami(&host, &of_old).await.0, 200);
    issuer.publish(&[&new]);
    let another = by(&SigningKey::ed("2026-03"));
    until("the old key is not taken any more", async || {
        let _ = whoami(&host, &another).await;
        whoami(&host, &of_old).await.0 == 401
    })
    .await;
    assert_eq!(whoami(&host, &of_new).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_may_be_away_at_the_start_and_later() {
    let database = TestDatabase::create().await;
    run(command(&["migrate"], &[("DATABASE_URL", &database.url())]));
    let token = first_token(&database.url(), "root", &["admin"]);
    let key = SigningKey::ed("a");
    let mut issuer = Issuer::start(&[&key]).await;
    issuer.leave().await;
    let host = host_of(&database, &issuer).await;
    let jwt = key.sign(&issuer.claims(&["append"], 3600));
    let answer = host.send(host.request(Method::GET, "/v1/whoami").bearer_auth(&jwt)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (503, &json!("issuer_keys_unavailable")),
        "{}",
        answer.body
    );
    // Not for who has a token.
    assert_eq!(whoami(&host, &token).await.0, 200);
    until("the log says why", async || host.has_logged("the keys of the issuer of JWTs cannot be read")).await;

    issuer.come_back().await;
    until("the keys are there", async || whoami(&host, &jwt).await.0 == 200).await;
    assert!(host.has_logged("the keys of the issuer of JWTs can be read again"));

    issuer.leave().await;
    // Another JWT, which this host has not seen; and one whose key it cannot ask for.
    let fresh = key.sign(&issuer.claims(&["append", "operate"], 3600));
    assert_eq!(whoami(&host, &fresh).await.0, 200);
    until("the host has asked in vain", async || {
        let unknown = SigningKey::ed("b").sign(&issuer.claims(&["admin"], 3600));
        assert_eq!(whoami(&host, &unknown).await.0, 401);
        let scrape =
            host.request(Method::GET, "/metrics").bearer_auth(&token).send().await.unwrap().text().await.unwrap();
        let value = |name: &str| {
            let line = scrape.lines().find(|line| line.starts_with(name)).unwrap();
            line.split(' ').next_back().unwrap().parse::<f64>().unwrap()
        };
        value("gnomon_jwt_keys_failures_total ") >= 2.0 && value("gnomon_jwt_keys_age_seconds ") > 0.0
    })
    .await;
    assert_eq!(whoami(&host, &fresh).await.0, 200, "the last keys hold");
}

#[test]
fn what_is_not_safe_or_makes_no_sense_does_not_start() {
    let serve = |arguments: &[&str]| {
        let mut serve = gnomon();
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        // Nothing answers there, and none of them comes so far.
        serve.env("DATABASE_URL", "postgres://127.0.0.1:1/none");
        serve
    };
    let issuer = ["--jwt-issuer", "https://login.example"];
    let audience = ["--jwt-audience", "gnomon"];
    let open = refused(serve(&[issuer, audience].concat()));
    assert!(open.contains("it asks nobody who they are; start it with --auth tokens (GNOMON_AUTH) as well"), "{open}");
    let wrong = |arguments: &[&str]| {
        let output = serve(&[&["--auth", "tokens"][..], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(wrong(&issuer).contains("--jwt-audience"));
    assert!(wrong(&audience).contains("--jwt-issuer"));
    let plain = wrong(&[&["--jwt-issuer", "http://login.example"][..], &audience].concat());
    assert!(plain.contains("it begins with neither https:// nor http://127.0.0.1"), "{plain}");
    let keys = wrong(&[&issuer[..], &audience, &["--jwt-keys", "http://login.example/keys"]].concat());
    assert!(keys.contains("it begins with neither https:// nor http://127.0.0.1"), "{keys}");
    let skew = wrong(&[&issuer[..], &audience, &["--jwt-clock-skew", "301"]].concat());
    assert!(skew.contains("give a number of seconds from 0 to 300"), "{skew}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_keys_does_not_start() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, "{\"keys\": []}").unwrap();
    let mut serve =
        command(&["serve", "--listen", "127.0.0.1:0", "--auth", "tokens"], &[("DATABASE_URL", &database.url())]);
    serve.args(["--jwt-issuer", "https://login.example", "--jwt-audience", "gnomon", "--jwt-keys"]).arg(&file);
    let said = tokio::task::spawn_blocking(move || refused(serve)).await.unwrap();
    assert!(said.contains("keys.json of --jwt-keys has no key that can be used"), "{said}");
}
