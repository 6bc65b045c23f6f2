//! Personal data with the real program: declared, appended, folded, forgotten, by hosts that are killed, and with keys that are the wrong ones.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Host, Launch, until};

const ADA: &str = "Ada Lovelace";
const GRACE: &str = "Grace Hopper";
const GONE: &str = "(forgotten)";
const ACCOUNTS: &str = "bank/accounts?order=account";

async fn start(database: &TestDatabase, keys: &TestDatabase) -> Host {
    Host::start_with(database, &["--personal-data-keys", &keys.url()]).await
}

async fn declare(host: &Host) -> Value {
    let set = host
        .try_run(&[
            "personal-data",
            "set",
            "AccountOpened",
            "--subject",
            "/customer",
            "--field",
            "/owner",
            "--forgotten",
            "\"(forgotten)\"",
            "--json",
        ])
        .await;
    assert!(set.status.success(), "{set:?}");
    serde_json::from_slice(&set.stdout).unwrap()
}

async fn open_account(host: &Host, account: &str, customer: &str, owner: &str) -> u64 {
    let data = json!({"customer": customer, "owner": owner, "currency": "EUR"});
    host.append_one(&format!("account-{account}"), "AccountOpened", data).await
}

async fn owners(host: &Host, position: u64) -> Vec<Value> {
    host.rows_at(ACCOUNTS, position).await.into_iter().map(|row| row["owner"].clone()).collect()
}

/// Whether a text is anywhere in the database: in any column of any table of any schema, whichever made it.
async fn is_anywhere(pool: &PgPool, text: &str) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT nspname::text, relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg_toast%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for (schema, table) in tables {
        // Bytes, such as snapshots have, are searched as bytes.
        let sql = format!(
            "SELECT count(*) FROM \"{schema}\".\"{table}\" AS one
             WHERE strpos(one::text, $1) > 0 OR strpos(one::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0"
        );
        let count: Result<i64, _> = sqlx::query_scalar(&sql).bind(text).fetch_one(pool).await;
        // A build that is retired meanwhile.
        if count.is_ok_and(|count| count > 0) {
            found.push(format!("{schema}.{table}"));
        }
    }
    found
}

async fn forgetting(host: &Host, number: i64) -> Value {
    host.json(&format!("/v1/forgettings/{number}")).await
}

async fn until_finished(host: &Host, number: i64) {
    until("nothing is left of who is forgotten", async || !forgetting(host, number).await["finished_at"].is_null())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_forgotten_and_the_rows_are_made_again() {
    let (database, keys) = (TestDatabase::create().await, TestDatabase::create().await);
    let pool = database.admin_pool().await;
    let host = start(&database, &keys).await;
    let declared = declare(&host).await;
    assert_eq!((&declared["since"], &declared["subjects"][0]["fields"]), (&json!(0), &json!(["/owner"])));
    let build = host.deploy("bank", test_support::component("bank"), "").await;
    host.until_state("bank", build, "active").await;
    open_account(&host, "1", "customer-1", ADA).await;
    for number in 0..300 {
        host.append_one("account-1", "MoneyDeposited", json!({"amount": number, "currency": "EUR"})).await;
    }
    let position = open_account(&host, "2", "customer-2", GRACE).await;
    assert_eq!(owners(&host, position).await, [ADA, GRACE]);
    assert_eq!(is_anywhere(&pool, GRACE).await, [format!("build_{build}.accounts")], "rows, and not the log");

    // What else is made of the log: the past of a stream, a past build, a rebuilt one that waits for an operator, a verification.
    let state = host.json("/v1/streams/account-1/state?projection=bank").await;
    assert!(state.to_string().contains(ADA), "{state}");
    let past = host.request(Method::GET, "/v1/read-models/bank/accounts?owner=eq.Ada%20Lovelace");
    let past = host.send(past.header("gnomon-as-of", position.to_string()).header("prefer", "wait=60")).await;
    assert!(past.body.to_string().contains(ADA), "{past:?}");
    let manual = host.post("/v1/projections/bank/rebuild?activate=manual").await.body["build"].as_u64().unwrap();
    host.until_state("bank", manual, "live").await;
    assert_eq!(host.post("/v1/projections/bank/verify").await.status, StatusCode::CREATED);
    assert!(is_anywhere(&pool, ADA).await.len() >= 3, "{:?}", is_anywhere(&pool, ADA).await);

    let forgotten = host.try_run(&["forget", "customer-1", "--wait", "--json"]).await;
    assert!(forgotten.status.success(), "{forgotten:?}");
    let answer: Value = serde_json::from_slice(&forgotten.stdout).unwrap();
    assert_eq!((&answer["keys"], &answer["projections"]), (&json!(1), &json!([])));
    assert_eq!(owners(&host, position).await, [GONE, GRACE]);
    assert_eq!(is_anywhere(&pool, ADA).await, Vec::<String>::new());
    // Nobody is named where it is noted, and what it was asked by is.
    let noted: String =
        sqlx::query_scalar("SELECT one::text FROM gnomon.forgettings AS one").fetch_one(&pool).await.unwrap();
    assert!(!noted.contains("customer-1") && noted.contains("anyone"), "{noted}");
    let rows = host.json("/v1/streams/account-1/state?projection=bank").await;
    assert!(rows.to_string().contains(GONE) && !rows.to_string().contains(ADA), "{rows}");
    let events = host.json("/v1/streams/account-1/events?limit=1").await;
    assert_eq!(events["events"][0]["data"]["owner"], GONE);
    assert_eq!(events["events"][0]["metadata"]["forgotten"], json!(["/owner"]));
    // Nothing is kept for a rollback, and the build that an operator was to look at is gone: the active one has its version.
    let builds = host.projection("bank").await["builds"].clone();
    let kept = builds.as_array().unwrap().iter().filter(|build| build["state"] != "retired").count();
    assert_eq!(kept, 1, "{builds}");

    let again = host.try_run(&["forget", "customer-1", "--wait"]).await;
    assert!(again.status.success() && String::from_utf8_lossy(&again.stderr).contains("has no key"), "{again:?}");
    // Who comes back is somebody new.
    let position = open_account(&host, "3", "customer-1", ADA).await;
    assert_eq!(owners(&host, position).await, [GONE, GRACE, ADA]);
}

/// Whatever instant the host is killed at: what has begun comes to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_while_it_forgets_finishes_it_when_it_is_back() {
    let (database, keys) = (TestDatabase::create().await, TestDatabase::create().await);
    let (pool, key_pool) = (database.admin_pool().await, keys.admin_pool().await);
    let mut host = start(&database, &keys).await;
    declare(&host).await;
    let build = host.deploy("bank", test_support::component("bank"), "").await;
    host.until_state("bank", build, "active").await;
    // A key that was made for an append which was refused, or whose host was killed, is used by the next one.
    let body = json!({"expected_version": 7, "events": [{"type": "AccountOpened", "data": {"customer": "customer-1", "owner": ADA, "currency": "EUR"}}]});
    assert_eq!(host.append("account-1", &body).await.status, StatusCode::CONFLICT);
    host.kill();
    let count = async |sql: &str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&key_pool).await.unwrap();
    assert_eq!(count("SELECT count(*) FROM gnomon_keys.subject_keys").await, 1);
    host.restart().await;
    open_account(&host, "1", "customer-1", ADA).await;
    let position = open_account(&host, "2", "customer-2", GRACE).await;
    assert_eq!(owners(&host, position).await, [ADA, GRACE]);
    assert_eq!(count("SELECT count(*) FROM gnomon_keys.subject_keys").await, 2);

    // It was killed when the key was about to be destroyed.
    host.kill();
    let key: uuid::Uuid =
        sqlx::query_scalar("SELECT key_id FROM gnomon_keys.subject_keys WHERE subject = 'customer-2'")
            .fetch_one(&key_pool)
            .await
            .unwrap();
    let noted: i64 =
        sqlx::query_scalar("INSERT INTO gnomon.forgettings (keys) VALUES (ARRAY[$1]) RETURNING forgetting")
            .bind(key)
            .fetch_one(&pool)
            .await
            .unwrap();
    host.restart().await;
    // And once more, when the keys of another one were just destroyed.
    let answer = host.send(host.request(Method::POST, "/v1/forgettings").json(&json!({"subject": "customer-1"}))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    host.kill();
    host.restart().await;
    // And when the rows are being made again.
    let number = answer.body["forgetting"].as_i64().unwrap();
    until("it counts", async || !forgetting(&host, number).await["effective_at"].is_null()).await;
    host.kill();
    host.restart().await;
    until_finished(&host, noted).await;
    until_finished(&host, number).await;
    assert_eq!(owners(&host, position).await, [GONE, GONE]);
    assert_eq!(
        count("SELECT count(*) FROM gnomon_keys.subject_keys WHERE key IS NOT NULL OR subject IS NOT NULL").await,
        0
    );
    for name in [ADA, GRACE] {
        assert_eq!(is_anywhere(&pool, name).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_wrong_keys_a_projection_waits_and_loses_nothing() {
    let (database, keys, wrong) =
        (TestDatabase::create().await, TestDatabase::create().await, TestDatabase::create().await);
    let host = start(&database, &keys).await;
    declare(&host).await;
    let position = open_account(&host, "1", "customer-1", ADA).await;
    assert!(host.stop().await);

    let host = start(&database, &wrong).await;
    let build = host.deploy("bank", test_support::component("bank"), "").await;
    until("the host says what is wrong", async || host.has_logged("does not know the key")).await;
    let state = host.build("bank", build).await;
    assert!(state["state"] == "replaying" && state["checkpoint"] == 0 && state["error"].is_null(), "{state}");
    let refused = host.get("/v1/events").await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("keys_unavailable")));
    assert!(host.stop().await);

    let host = start(&database, &keys).await;
    host.until_state("bank", build, "active").await;
    assert_eq!(owners(&host, position).await, [ADA]);
    assert!(host.stop().await);
    // Without keys it does not start, and says why.
    let folder = tempfile::tempdir().unwrap();
    let mut command = crate::support::gnomon();
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url(), "--data-dir"]);
    command.arg(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("the host has no keys to it"), "{said}");
}

/// A folder of keys, and a host beside it that may not have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_keys_is_enough_for_one_host() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let keys = format!("file:{}", folder.path().join("keys").display());
    let host = Launch::new(&database.url(), &["--personal-data-keys", &keys]).start().await;
    declare(&host).await;
    open_account(&host, "1", "customer-1", ADA).await;
    assert_eq!(host.json("/v1/events").await["events"][0]["data"]["owner"], ADA);
    let mut command = crate::support::gnomon();
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--database-url", &database.url(), "--personal-data-keys", &keys];
    command.args(arguments).arg("--data-dir").arg(folder.path().join("data"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("is used by another host"), "{output:?}");
    assert!(host.try_run(&["forget", "customer-1", "--wait"]).await.status.success());
    assert_eq!(host.json("/v1/events").await["events"][0]["data"]["owner"], GONE);
}
