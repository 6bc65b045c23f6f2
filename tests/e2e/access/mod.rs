//! A host that asks everybody who they are, and the commands with which one begins.

mod issuer;
mod jwt;

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Host, gnomon, until};

/// Runs a command, which must succeed; returns what it prints on stdout and on stderr.
fn run(mut command: Command) -> (String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{out} {err}");
    (out, err)
}

fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = gnomon();
    command.args(arguments).envs(variables.iter().copied());
    command
}

/// A token that is made in the database itself, without a host.
fn first_token(database: &str, name: &str, scopes: &[&str]) -> String {
    let mut arguments = vec!["tokens", "create", name];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    run(command(&arguments, &[("DATABASE_URL", database)])).0
}

async fn whoami(host: &Host, token: &str) -> (u16, Value) {
    let answer = host.send(host.request(Method::GET, "/v1/whoami").bearer_auth(token)).await;
    (answer.status.as_u16(), answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_token_is_made_in_the_database_and_the_others_by_a_host() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let nothing_yet = refused(command(&["tokens", "create", "root", "--scope", "admin"], &[("DATABASE_URL", &url)]));
    assert!(
        nothing_yet.contains("the database has no tables for tokens yet; `gnomon migrate` makes them"),
        "{nothing_yet}"
    );
    run(command(&["migrate"], &[("DATABASE_URL", &url)]));
    let (root, said) = run(command(&["tokens", "create", "root", "--scope", "admin"], &[("DATABASE_URL", &url)]));
    assert!(root.starts_with("gnomon_") && root.len() == 55, "the token alone is on stdout");
    assert!(said.contains("token `root` may admin; it expires at 2") && !said.contains(&root), "{said}");

    let host = Host::start_with(&database, &["--auth", "tokens"]).await;
    let to_host =
        |arguments: &[&str], token: &str| command(arguments, &[("GNOMON_URL", host.url()), ("GNOMON_TOKEN", token)]);
    let without = refused(to_host(&["projections"], ""));
    assert!(
        without
            .contains("wants to know who asks, and there is no token for it; `gnomon login` keeps one, or give it with the variable GNOMON_TOKEN"),
        "{without}"
    );
    let wrong = refused(to_host(&["projections"], "gnomon_nonsense"));
    assert!(
        wrong.contains("the token is not one that a host has made") && !wrong.contains("gnomon_nonsense"),
        "{wrong}"
    );

    let made =
        run(to_host(&["tokens", "create", "shop", "--scope", "append=order", "--expires-in", "1h", "--json"], &root)).0;
    let made: Value = serde_json::from_str(&made).unwrap();
    let shop = made["secret"].as_str().unwrap();
    assert_eq!(made["created_by"], "token root");
    let appended = |stream: &str, token: &str| {
        let request = host.request(Method::POST, &format!("/v1/streams/{stream}/events")).bearer_auth(token);
        host.send(request.json(&json!({"events": [{"type": "T", "data": 1}]})))
    };
    assert_eq!(appended("order-1", shop).await.status, 201);
    let other = appended("account-1", shop).await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (403, &json!("forbidden")));
    let listed = refused(to_host(&["tokens"], shop));
    assert!(listed.contains("this needs the scope `admin`; the token `shop` has append=order"), "{listed}");

    // From a file, as services have it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{root}\n")).unwrap();
    let listing = |name: &str| {
        let mut listing = command(&["tokens"], &[("GNOMON_URL", host.url())]);
        if name.is_empty() {
            listing.arg("--token-file").arg(&file)
        } else {
            listing.env(name, &file)
        };
        run(listing).0
    };
    for listed in [listing(""), listing("GNOMON_TOKEN_FILE")] {
        assert!(listed.contains("root") && listed.contains("append=order") && !listed.contains("gnomon_"), "{listed}");
    }

    // Revoked at one host, it is soon refused by another one that has just seen it.
    let beside = host.beside().await;
    assert_eq!(whoami(&beside, shop).await.0, 200);
    run(to_host(&["tokens", "revoke", "shop"], &root));
    until("no host takes it", async || whoami(&host, shop).await.0 == 401 && whoami(&beside, shop).await.0 == 401)
        .await;
    let unknown = refused(to_host(&["tokens", "revoke", "shop"], &root));
    assert!(unknown.contains("there is no token `shop`"), "{unknown}");
    // Without a host as well.
    run(command(&["tokens", "revoke", "root"], &[("DATABASE_URL", &url)]));
    until("no host takes that one", async || whoami(&host, &root).await.0 == 401).await;

    assert!(host.has_logged("requests need a token") && host.has_logged("an operation was requested"));
    assert!(host.has_logged("token root") && host.has_logged("/v1/tokens/shop") && host.has_logged("127.0.0.1"));
    for secret in [&root, shop, "gnomon_nonsense"] {
        assert!(!host.has_logged(secret) && !host.has_logged(&secret[7..]), "a token is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_operates_is_in_the_history_with_the_address_and_the_id_of_the_request() {
    let database = TestDatabase::create().await;
    run(command(&["migrate"], &[("DATABASE_URL", &database.url())]));
    let host = Host::start_with(&database, &["--auth", "tokens"]).await;
    let token = first_token(&database.url(), "ci", &["deploy", "operate"]);
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("bank.wasm");
    fs::write(&component, test_support::component("bank")).unwrap();
    let variables = [("GNOMON_URL", host.url()), ("GNOMON_TOKEN", token.as_str())];
    let mut deploy = command(&["deploy", "--name", "bank"], &variables);
    deploy.arg(&component);
    run(deploy);
    run(command(&["pause", "bank"], &variables));
    let request = host.request(Method::GET, "/v1/projections/bank/history").bearer_auth(&token);
    let history = host.send(request).await.body;
    let newest = &history["history"][0];
    assert_eq!(
        (&newest["change"], &newest["actor"], &newest["address"]),
        (&json!("paused"), &json!("token ci"), &json!("127.0.0.1")),
        "{history}"
    );
    let id = newest["request_id"].as_str().unwrap();
    assert!(host.has_logged(id), "the log has the request under the same id");
    assert!(run(command(&["history", "bank"], &variables)).0.contains("token ci"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_nobody_says_so_and_listens_on_this_machine_only() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    assert!(host.has_logged("authentication is off: whoever reaches this host from this machine may do everything"));
    for address in ["0.0.0.0:0", "[::]:0"] {
        let said = refused(command(&["serve", "--listen", address], &[("DATABASE_URL", &database.url())]));
        assert!(
            said.contains("is reached by other machines, and this one would let each of them do everything"),
            "{said}"
        );
        assert!(
            said.contains("--auth tokens (GNOMON_AUTH)") && said.contains("--insecure (GNOMON_INSECURE)"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_kept_for_its_host_and_forgotten() {
    let database = TestDatabase::create().await;
    run(command(&["migrate"], &[("DATABASE_URL", &database.url())]));
    let host = Host::start_with(&database, &["--auth", "tokens"]).await;
    let token = first_token(&database.url(), "ada", &["operate"]);
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().to_str().unwrap();
    let with_home =
        |arguments: &[&str]| command(arguments, &[("GNOMON_URL", host.url()), ("XDG_CONFIG_HOME", settings)]);
    let login = |token: &str| {
        let mut login = with_home(&["login"]);
        let given = home.path().join("given");
        fs::write(&given, format!("{token}\n")).unwrap();
        login.stdin(fs::File::open(given).unwrap());
        login
    };
    let wrong = refused(login("gnomon_nonsense"));
    assert!(
        wrong.contains("the token is not one that a host has made") && !wrong.contains("gnomon_nonsense"),
        "{wrong}"
    );
    assert!(refused(with_home(&["projections"])).contains("there is no token for it"));
    let (out, said) = run(login(&token));
    assert!(out.is_empty() && said.contains("you are token ada at ") && said.contains("and may operate"), "{said}");
    let kept = home.path().join("gnomon/logins.json");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    run(with_home(&["projections"]));
    run(with_home(&["logout"]));
    assert!(refused(with_home(&["projections"])).contains("there is no token for it"));
    assert!(!fs::read_to_string(&kept).unwrap().contains(&token));
}
