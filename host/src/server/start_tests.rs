//! Starting: what a host that cannot have its Postgres says, and when.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::{net::TcpListener, time::Instant};

use super::*;
use crate::{
    builds::{Activation, RetiredBuilds},
    postgres::{ConnectError, test_database::TestDatabase, test_role::Role},
    read_model::Identifier,
    server::tests::TestHost,
};

fn settings(max_connections: u32, connect_timeout: Duration) -> ServerSettings {
    ServerSettings { listen: ([127, 0, 0, 1], 0).into(), max_connections, connect_timeout, ..ServerSettings::default() }
}

/// A port at which nothing listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_the_host_is_alive_and_says_what_it_tries_until_when() {
    let mut server = Server::bind(settings(4, Duration::from_secs(3600))).await.unwrap();
    let (url, client) = (format!("http://{}", server.address()), test_support::client());
    let port = closed_port().await;
    let away = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("u").database("d");
    let mut detail = String::new();
    let says_why = test_support::until("the host says why it is not ready", async || {
        let live = client.get(format!("{url}/health/live")).send().await.unwrap();
        assert_eq!(live.status(), 200);
        let ready = client.get(format!("{url}/health/ready")).send().await.unwrap();
        assert_eq!(ready.status(), 503);
        detail = ready.text().await.unwrap();
        detail.contains("Connection refused")
    });
    tokio::select! {
        opened = server.open(away) => panic!("{opened:?}"),
        () = says_why => {}
    }
    assert!(detail.contains("trying again until 2"), "{detail}");
    assert!(!detail.contains(&port.to_string()), "clients are not told where Postgres is: {detail}");
}

#[tokio::test]
async fn in_the_end_the_error_is_the_refusal() {
    let port = closed_port().await;
    let away = PgConnectOptions::new_without_pgpass().host("::1").port(port).username("u").database("d");
    let began = Instant::now();
    let error = Server::start(away, settings(4, Duration::from_millis(60))).await.unwrap_err().to_string();
    assert!(began.elapsed() >= Duration::from_millis(60), "it is tried for as long as the error says");
    assert!(error.starts_with(&format!("cannot connect to Postgres at [::1]:{port}, user u, database d: ")), "{error}");
    assert!(error.ends_with(", and so for 0.06 s (--connect-timeout)"), "{error}");
    assert!(error.contains("Connection refused") && !error.contains("pool"), "{error}");
}

#[tokio::test]
async fn a_refusal_that_does_not_pass_is_not_tried_again() {
    let database = TestDatabase::create().await;
    let options = database.connect_options().database("gnomon_no_such_database");
    // The test ends before the timeout does.
    let error = Server::start(options, settings(4, Duration::from_secs(3600))).await.unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
    assert!(!error.contains("--connect-timeout"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_connections_than_the_host_needs_are_refused_with_the_number_and_the_setting() {
    let database = TestDatabase::create().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    let mut admin = database.admin_pool().await.acquire().await.unwrap().detach();
    sqlx::raw_sql(&format!("ALTER DATABASE {name} CONNECTION LIMIT 12")).execute(&mut admin).await.unwrap();
    let error = Server::start(database.connect_options(), settings(20, Duration::from_secs(60))).await.unwrap_err();
    assert!(
        matches!(error, StartError::Connect(ConnectError::TooFewAllowed { needed: 24, allowed: 12, .. })),
        "{error}"
    );
    let error = error.to_string();
    for part in [
        &format!("CONNECTION LIMIT of the database {name}"),
        "--max-connections=20",
        "start the host with --max-connections 8",
    ] {
        assert!(error.contains(part), "{error}");
    }
    // With that number it works: all connections that the host keeps are open.
    let server = Server::start(database.connect_options(), settings(8, Duration::from_secs(60))).await.unwrap();
    server.stop().await;
    admin.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_others_have_all_connections_the_number_needed_is_named() {
    let database = TestDatabase::create().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    let mut admin = database.admin_pool().await.acquire().await.unwrap().detach();
    sqlx::raw_sql(&format!("ALTER DATABASE {name} CONNECTION LIMIT 8")).execute(&mut admin).await.unwrap();
    let mut others = Vec::new();
    while let Ok(other) = PgConnection::connect_with(&database.connect_options()).await {
        others.push(other);
        assert!(others.len() <= 8, "the limit holds for the role of tests");
    }
    let error = Server::start(database.connect_options(), settings(4, Duration::from_millis(200))).await.unwrap_err();
    assert!(matches!(error, StartError::Connect(ConnectError::NoneLeft { needed: 8, .. })), "{error}");
    let error = error.to_string();
    assert!(error.contains("too many connections") && error.contains("It needs 8: --max-connections=4"), "{error}");
    admin.close().await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_with_another_one() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::bind(ServerSettings { listen: address, ..ServerSettings::default() }).await.unwrap_err();
    let error = error.to_string();
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
    assert!(error.contains("--listen, such as 127.0.0.1:"), "{error}");
}

/// docs/postgres.md names these rights. Whatever a host does with builds works with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_the_documented_rights_runs_a_host() {
    let role = Role::create().await;
    role.admin("GRANT CREATE ON DATABASE {database} TO {role}").await;
    let host = TestHost::start_on(role.connect_options(), ServerSettings::default()).await;
    let bank = Identifier::new("bank").unwrap();
    let first = host.deploy(&bank, test_support::component("bank"), Activation::Auto).await;
    let opened = serde_json::json!({"owner": "Ada", "currency": "EUR"});
    host.append([("account-7".to_owned(), "AccountOpened", opened)]).await;
    host.deposit(7).await;
    host.caught_up(&bank).await;
    let second = host.operations.rebuild(&bank, None, Activation::Auto).await.unwrap();
    test_support::until("the second build is active", async || {
        let found = host.operations.projection(&bank, RetiredBuilds::Hidden).await.unwrap().unwrap();
        found.active_build == Some(second)
    })
    .await;
    let balances: Vec<i64> = sqlx::query_scalar("SELECT balance FROM read_models.bank_accounts")
        .fetch_all(&host.database.lookups)
        .await
        .unwrap();
    assert_eq!(balances, [1]);
    host.operations.retire(&bank, first.number).await.unwrap();
    host.operations.delete(&bank).await.unwrap();
    host.projector.stop().await;
    host.database.close().await;
    drop(host);
    role.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_accepts_the_connection_and_is_silent_is_not_waited_for_beyond_the_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("u").database("d");
    let mut server = Server::bind(settings(4, Duration::from_millis(300))).await.unwrap();
    let error = server.open(options).await.unwrap_err().to_string();
    assert!(error.contains("no answer, and so for 0.3 s (--connect-timeout)"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_takes_long_takes_no_time_from_the_next_ones() {
    let database = TestDatabase::create().await;
    let timeout = Duration::from_secs(2);
    let waiting = |step: String| {
        if step.contains("schema") {
            std::thread::sleep(timeout);
        }
    };
    Rooms::start(database.connect_options(), &settings(8, timeout), &waiting).await.unwrap().projector.stop().await;
}
