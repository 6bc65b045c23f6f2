//! For tests: a way to Postgres that takes time.

use std::{io, path::Path, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
};

/// Listens on loopback, and passes what it reads on to a server of Postgres and back, each piece after a pause.
#[derive(Debug)]
pub(crate) struct SlowProxy {
    port: u16,
    task: JoinHandle<()>,
}

impl SlowProxy {
    pub(crate) async fn start(server: PgConnectOptions, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                client.set_nodelay(true).unwrap();
                tokio::spawn(pass(client, server.clone(), pause));
            }
        });
        Self { port, task }
    }

    /// The options of the server, through this proxy.
    pub(crate) fn through(&self, server: &PgConnectOptions) -> PgConnectOptions {
        server.clone().host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable)
    }
}

impl Drop for SlowProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends when either side ends.
async fn pass(client: TcpStream, server: PgConnectOptions, pause: Duration) -> io::Result<()> {
    let (read_client, write_client) = client.into_split();
    let folder = server.get_socket().map(|folder| folder.as_path());
    if let Some(folder) = folder.or(Some(Path::new(server.get_host())).filter(|host| host.is_absolute())) {
        let server = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", server.get_port()))).await?;
        let (read_server, write_server) = server.into_split();
        tokio::try_join!(copy(read_client, write_server, pause), copy(read_server, write_client, pause))?;
    } else {
        let server = TcpStream::connect((server.get_host(), server.get_port())).await?;
        server.set_nodelay(true)?;
        let (read_server, write_server) = server.into_split();
        tokio::try_join!(copy(read_client, write_server, pause), copy(read_server, write_client, pause))?;
    }
    Ok(())
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, pause: Duration) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut piece).await?;
        tokio::time::sleep(pause).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..length]).await?;
    }
}
