//! NATS with JetStream as Debian installs it, as a child process with a folder of its own.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use async_nats::{
    ConnectOptions,
    jetstream::{self, context::GetStreamErrorKind, stream::Config},
};
use tempfile::TempDir;
use test_support::until;

/// A user and a password of the server.
pub(crate) type Login = Option<(&'static str, &'static str)>;

/// A NATS server on loopback, which keeps its port and its streams when it is killed and started again. It is ended when this is dropped.
pub(crate) struct Nats {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    login: Login,
}

/// A message of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) subject: String,
    pub(crate) headers: async_nats::HeaderMap,
    pub(crate) payload: String,
}

impl Stored {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.as_str())
    }
}

impl Nats {
    pub(crate) async fn start(login: Login) -> Self {
        // A port that was just free.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut nats = Self { child: None, folder: tempfile::tempdir().unwrap(), port, login };
        nats.begin().await;
        nats
    }

    /// Starts it, with what it had.
    pub(crate) async fn begin(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream", "--store_dir"]);
        command.arg(self.folder.path()).stdout(Stdio::null()).stderr(log);
        if let Some((user, password)) = self.login {
            command.args(["--user", user, "--pass", password]);
        }
        let child = command.spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("NATS does not start ({error}); .ci/nats installs it")));
        until("NATS answers", async || {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "NATS ended: {}", self.log());
            match self.connect().await {
                // Not by the account, of which older servers say less than the client reads.
                Some(context) => match context.get_stream("NONE").await {
                    Ok(_) => true,
                    Err(error) => matches!(error.kind(), GetStreamErrorKind::JetStream(_)),
                },
                None => false,
            }
        })
        .await;
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    async fn connect(&self) -> Option<jetstream::Context> {
        let options = match self.login {
            Some((user, password)) => ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
            None => ConnectOptions::new(),
        };
        options.connect(self.url()).await.ok().map(jetstream::new)
    }

    pub(crate) async fn context(&self) -> jetstream::Context {
        self.connect().await.unwrap_or_else(|| panic!("NATS does not answer: {}", self.log()))
    }

    pub(crate) async fn make_stream(&self, name: &str, subjects: &str) {
        let config = Config { name: name.to_owned(), subjects: vec![subjects.to_owned()], ..Config::default() };
        self.context().await.create_stream(config).await.unwrap();
    }

    /// How many messages a stream has got, removed ones included.
    pub(crate) async fn last_sequence(&self, stream: &str) -> u64 {
        self.context().await.get_stream(stream).await.unwrap().cached_info().state.last_sequence
    }

    /// All messages of a stream, in their order.
    pub(crate) async fn stored(&self, stream: &str) -> Vec<Stored> {
        let stream = self.context().await.get_stream(stream).await.unwrap();
        let state = stream.cached_info().state.clone();
        let mut stored = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let payload = String::from_utf8(message.payload.to_vec()).unwrap();
            stored.push(Stored { subject: message.subject.to_string(), headers: message.headers, payload });
        }
        stored
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
