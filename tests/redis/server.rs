//! Redis as Debian installs it, as a child process with a folder of its own.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use test_support::until;

/// A running Redis on loopback. It is ended when this is dropped.
pub(crate) struct Redis {
    child: Child,
    folder: TempDir,
    port: u16,
    password: Option<&'static str>,
}

impl Redis {
    pub(crate) async fn start(password: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A port that was just free; Redis cannot choose one itself.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .args(password.map(|password| ["--requirepass", password]).into_iter().flatten())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("Redis does not start ({error}); .ci/redis installs it"));
        let mut redis = Self { child, folder, port, password };
        until("Redis answers", async || {
            assert!(redis.child.try_wait().unwrap().is_none(), "Redis ended: {}", redis.log());
            redis.connect().is_ok()
        })
        .await;
        redis
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let password = self.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{password}127.0.0.1:{}", self.port)
    }

    /// The keys that it has.
    pub(crate) fn keys(&self) -> Vec<String> {
        redis::cmd("KEYS").arg("*").query(&mut self.connection()).unwrap()
    }

    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        redis::cmd("GET").arg(key).query(&mut self.connection()).unwrap()
    }

    /// How many seconds it still keeps a key.
    pub(crate) fn expiry(&self, key: &str) -> i64 {
        redis::cmd("TTL").arg(key).query(&mut self.connection()).unwrap()
    }

    /// Has another value from now on.
    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        redis::cmd("SET").arg(key).arg(value).exec(&mut self.connection()).unwrap();
    }

    fn connection(&self) -> redis::Connection {
        self.connect().unwrap_or_else(|error| panic!("{error}: {}", self.log()))
    }

    fn connect(&self) -> redis::RedisResult<redis::Connection> {
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        redis::cmd("PING").exec(&mut connection)?;
        Ok(connection)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
