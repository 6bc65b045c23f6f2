//! A host in the process of a test, on a database of its own, spoken to over HTTP. The tests in `tests/e2e` drive a host that is a
//! process of its own with the same methods, those of [`HostClient`].
//!
//! The database comes from the host's own `TestDatabase`, which is public for just this and hidden from the documentation:
//! it is an empty database on the server that `DATABASE_URL` names, or on a private one that all tests of the process share.
//! A private server for each test would need nothing of the host that is not meant for everyone, and would cost each test
//! seconds.

use std::ops::Deref;

use gnomon::{
    postgres::test_database::TestDatabase,
    server::{Server, ServerSettings},
};
use test_support::{HostClient, HostLog};

/// A running host, driven with the methods of [`HostClient`]. Tests that use it need a runtime of several threads.
pub(crate) struct TestHost {
    server: Server,
    client: HostClient,
    /// Dropped last: the host holds connections.
    pub(crate) database: TestDatabase,
}

impl Deref for TestHost {
    type Target = HostClient;

    fn deref(&self) -> &HostClient {
        &self.client
    }
}

impl TestHost {
    /// Starts a host at a port of its own.
    pub(crate) async fn start(settings: ServerSettings) -> Self {
        let database = TestDatabase::create().await;
        let settings = ServerSettings { listen: ([127, 0, 0, 1], 0).into(), max_connections: 10, ..settings };
        let server = Server::start(database.connect_options(), settings).await.unwrap();
        // The host's log is in the output of the test.
        let client = HostClient::new(format!("http://{}", server.address()), HostLog::default());
        Self { server, client, database }
    }

    /// Stops it, and drops its database.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
        drop(self.database);
    }
}
