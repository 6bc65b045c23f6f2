//! What operators type.

use std::fs;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::{Tenanted, command, refused, root_of, run};

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_for_the_tenant_that_they_name() {
    let (acme_database, beta_database) = (TestDatabase::create().await, TestDatabase::create().await);
    let (acme_token, beta_token) = (root_of(&acme_database.url()), root_of(&beta_database.url()));
    let tenants = json!({"acme": {"database": acme_database.url()}, "beta": {"database": beta_database.url()}});
    let mut host = Tenanted::start(&tenants, &["--auth", "tokens"]).await;
    let url = host.url().to_owned();
    let (acme_url, of_acme, of_beta) = (
        format!("{url}/t/acme"),
        [("GNOMON_TOKEN", acme_token.as_str()), ("GNOMON_URL", &url)],
        [("GNOMON_TOKEN", beta_token.as_str()), ("GNOMON_URL", &url)],
    );
    run(&["append", "a-1", "--type", "OfAcme", "--data", "1", "--tenant", "acme"], &of_acme);
    run(&["append", "a-1", "--type", "OfBeta", "--data", "1"], &[of_beta[0], of_beta[1], ("GNOMON_TENANT", "beta")]);
    let of_path = run(&["events", "--url", &acme_url], &of_acme[..1]);
    let of_option = run(&["events", "--tenant", "acme"], &of_acme);
    assert_eq!(of_path, of_option);
    assert!(of_path.contains("OfAcme") && !of_path.contains("OfBeta"), "{of_path}");
    let listed = run(&["events", "--tenant", "beta"], &of_beta);
    assert!(listed.contains("OfBeta") && !listed.contains("OfAcme"), "{listed}");
    // A token of one is refused by the other one, which it does not know to be there.
    let other = refused(&["events", "--tenant", "beta"], &of_acme);
    assert_eq!(
        other.replace("beta", "NAME"),
        refused(&["events", "--tenant", "nobody"], &of_acme).replace("nobody", "NAME")
    );
    let missing = refused(&["events"], &of_acme);
    assert!(missing.contains("several tenants"), "{missing}");
    let made: Value = serde_json::from_str(&run(
        &["tokens", "create", "reader", "--scope", "read:events", "--json", "--tenant", "acme"],
        &of_acme,
    ))
    .unwrap();
    let by_token = format!("acme.{}", made["secret"].as_str().unwrap());
    let listed = run(&["events"], &[("GNOMON_TOKEN", by_token.as_str()), ("GNOMON_URL", &url)]);
    assert_eq!(listed, of_option);

    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_before_anything_is_served() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenants.json");
    let data = folder.path().join("data");
    let serve = |tenants: Value, variables: &[(&str, &str)], more: &[&str]| {
        fs::write(&file, json!({"tenants": tenants}).to_string()).unwrap();
        let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--tenants", file, "--data-dir", data];
        arguments.extend(more);
        let output = command(&arguments, variables).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let url = database.url();
    let beside = serve(json!({"a": {"database": url}}), &[("DATABASE_URL", &url)], &[]);
    assert!(beside.contains("leave out --database-url (DATABASE_URL)"), "{beside}");
    let named = serve(json!({"a": {"database": "env:NO_SUCH_VARIABLE"}}), &[], &[]);
    assert!(named.contains("tenants.json: the database of the tenant `a`: there is no variable"), "{named}");
    let many =
        json!({"a": {"database": url, "limits": {"max_requests": 9}}, "b": {"database": "postgres://u@127.0.0.1:9/b"}});
    let many = serve(many, &[], &["--max-client-connections", "10"]);
    assert!(many.contains("14 requests under way together (max_requests), and the host has 10 connections"), "{many}");

    // What would be shared.
    let shared = ["--auth", "tokens", "--jwt-issuer", "https://login.example/", "--jwt-audience", "gnomon"];
    let shared = serve(json!({"a": {"database": url}}), &[], &shared);
    assert!(shared.contains("--jwt-issuer (GNOMON_JWT_ISSUER) does not go with --tenants"), "{shared}");
    let keys = format!("file:{}", folder.path().join("keys").display());
    let shared = serve(json!({"a": {"database": url}}), &[("GNOMON_PERSONAL_DATA_KEYS", &keys)], &[]);
    assert!(shared.contains("--personal-data-keys (GNOMON_PERSONAL_DATA_KEYS) does not go with --tenants"), "{shared}");
    assert!(!folder.path().join("keys").exists());

    // The same database by two addresses: Postgres says that it is one.
    let (address, other) =
        if url.contains("127.0.0.1") { ("127.0.0.1", "localhost") } else { ("localhost", "127.0.0.1") };
    let by_name = url.replace(address, other);
    assert_ne!(by_name, url);
    let same = serve(json!({"a": {"database": url}, "b": {"database": by_name}}), &[], &[]);
    assert!(same.contains("the tenants `a` and `b` have the same database"), "{same}");
}
