//! For tests: a way to Postgres that takes time, falls silent, and is cut.

use std::{io, path::Path, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

/// Listens on loopback, and passes what it reads on to a server of Postgres and back, each piece after a pause.
#[derive(Debug)]
pub(crate) struct SlowProxy {
    port: u16,
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// How often all connections fell silent.
    silences: u64,
    /// How often all connections were cut.
    cuts: u64,
}

impl SlowProxy {
    pub(crate) async fn start(server: PgConnectOptions, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State::default());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                client.set_nodelay(true).unwrap();
                let (server, mut seen) = (server.clone(), seen.clone());
                tokio::spawn(async move {
                    let cuts = seen.borrow().cuts;
                    let passed = pass(client, server, pause, seen.clone());
                    tokio::select! {
                        _ = passed => {}
                        _ = seen.wait_for(|state| state.cuts > cuts) => {}
                    }
                });
            }
        });
        Self { port, state, task }
    }

    /// The options of the server, through this proxy.
    pub(crate) fn through(&self, server: &PgConnectOptions) -> PgConnectOptions {
        server.clone().host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable)
    }

    /// Nothing is passed on any more on the connections that are open, and neither side hears of it.
    pub(crate) fn silence(&self) {
        self.state.send_modify(|state| state.silences += 1);
    }

    /// Closes all connections that are open.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

impl Drop for SlowProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends when either side ends.
async fn pass(
    client: TcpStream,
    server: PgConnectOptions,
    pause: Duration,
    state: watch::Receiver<State>,
) -> io::Result<()> {
    let (read_client, write_client) = client.into_split();
    let other = state.clone();
    let folder = server.get_socket().map(|folder| folder.as_path());
    if let Some(folder) = folder.or(Some(Path::new(server.get_host())).filter(|host| host.is_absolute())) {
        let server = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", server.get_port()))).await?;
        let (read_server, write_server) = server.into_split();
        tokio::try_join!(copy(read_client, write_server, pause, state), copy(read_server, write_client, pause, other))?;
    } else {
        let server = TcpStream::connect((server.get_host(), server.get_port())).await?;
        server.set_nodelay(true)?;
        let (read_server, write_server) = server.into_split();
        tokio::try_join!(copy(read_client, write_server, pause, state), copy(read_server, write_client, pause, other))?;
    }
    Ok(())
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    pause: Duration,
    state: watch::Receiver<State>,
) -> io::Result<()> {
    let silences = state.borrow().silences;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        tokio::time::sleep(pause).await;
        if state.borrow().silences > silences {
            // Until the test ends, or cuts all connections.
            std::future::pending::<()>().await;
        }
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
    }
}
