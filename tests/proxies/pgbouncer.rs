//! PgBouncer between a host and its Postgres.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use gnomon::{
    postgres::{parse_url, test_database::TestDatabase},
    server::{Server, ServerSettings, StartError},
};
use serde_json::json;
use tempfile::TempDir;
use test_support::{HostClient, HostLog, until};

/// Nothing but the pool mode differs from PgBouncer's defaults, apart from how it finds the database.
const SETTINGS: &str = "
[databases]
* = <database>
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = <port>
unix_socket_dir =
auth_type = any
pool_mode = <mode>
";

/// A running PgBouncer before a database. It is ended when this is dropped.
struct PgBouncer {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl PgBouncer {
    async fn start(database: &TestDatabase, mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = folder.path().join("pgbouncer.ini");
        let text = SETTINGS
            .replace("<database>", &target(database))
            .replace("<port>", &port.to_string())
            .replace("<mode>", mode);
        fs::write(&settings, text).unwrap();
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o644)).unwrap();
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
        let mut command = Command::new(program.unwrap_or("pgbouncer"));
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It refuses to run as root.
        if nix::unistd::geteuid().is_root() {
            let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
            command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        }
        let child =
            command.spawn().unwrap_or_else(|error| panic!("PgBouncer does not start ({error}); .ci/run installs it"));
        let mut bouncer = Self { child, port, _folder: folder };
        until("PgBouncer answers", async || {
            assert!(bouncer.child.try_wait().unwrap().is_none(), "PgBouncer ended");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        bouncer
    }

    /// Starts a host that connects through it.
    async fn host(&self, parameters: &str) -> Result<Server, StartError> {
        let url = format!("postgres://anyone@127.0.0.1:{}/any?sslmode=disable{parameters}", self.port);
        let settings = ServerSettings {
            listen: ([127, 0, 0, 1], 0).into(),
            max_connections: 8,
            connect_timeout: Duration::from_secs(60),
            ..ServerSettings::default()
        };
        Server::start(parse_url(&url).unwrap(), settings).await
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The test's database as PgBouncer's settings name it.
fn target(database: &TestDatabase) -> String {
    let url = reqwest::Url::parse(&database.url()).unwrap();
    let password = url.password().map(|password| {
        let password = percent_encoding::percent_decode_str(password).decode_utf8().unwrap();
        format!(" password={password}")
    });
    format!(
        "host={} port={} dbname={} user={}{}",
        url.host_str().unwrap(),
        url.port().unwrap_or(5432),
        url.path().trim_start_matches('/'),
        url.username(),
        password.unwrap_or_default()
    )
}

/// With PgBouncer's defaults, `pool_mode=session` among them, everything works: appends, builds, notifications, queries, restarts.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_of_sessions_works_with_its_defaults() {
    let database = TestDatabase::create().await;
    let bouncer = PgBouncer::start(&database, "session").await;
    for round in 1..=2_u64 {
        let server = bouncer.host("").await.unwrap();
        let host = HostClient::new(format!("http://{}", server.address()), HostLog::default());
        assert_eq!(host.get("/health/ready").await.status, 200);
        host.deploy("tally", test_support::guest("tally"), "").await;
        let position = host.append_one("count-1", "Counted", json!({"n": 1})).await;
        assert_eq!(position, round);
        let rows = host.rows_at("tally/tallies", position).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_of_transactions_is_refused_with_what_works() {
    let database = TestDatabase::create().await;
    for mode in ["transaction", "statement"] {
        let bouncer = PgBouncer::start(&database, mode).await;
        let error = bouncer.host("").await.unwrap_err().to_string();
        assert!(error.contains("pool_mode=session"), "{error}");
        assert!(error.contains("pool_size of at least 12"), "{error}");
    }
    // Nothing was made.
    let schemas: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname IN ('gnomon', 'read_models')")
            .fetch_one(&database.pool().await)
            .await
            .unwrap();
    assert_eq!(schemas, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_the_pooler_refuses_is_explained_at_once() {
    let database = TestDatabase::create().await;
    let bouncer = PgBouncer::start(&database, "session").await;
    let error = bouncer.host("&options=-c%20work_mem%3D8MB").await.unwrap_err().to_string();
    assert!(error.contains("a pooler stands before Postgres"), "{error}");
    assert!(error.contains("`options`"), "{error}");
}
