//! A way from a host to Redis that stands still, is cut, and lies.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It passes.
    Open,
    /// Nothing passes, and nobody is told.
    Silent,
    /// Each connection is closed, and so is each new one.
    Cut,
    /// Of what Redis says, letters and digits are changed.
    Garbled,
}

/// Listens on loopback.
pub(crate) struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (line, watched) = watch::channel(Line::Open);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = watched.clone();
                tokio::spawn(async move {
                    let mut cut = line.clone();
                    tokio::select! {
                        _ = pass(client, redis, line) => {}
                        _ = cut.wait_for(|line| *line == Line::Cut) => {}
                    }
                });
            }
        });
        Self { port, line, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, redis: u16, line: watch::Receiver<Line>) -> io::Result<()> {
    let redis = TcpStream::connect(("127.0.0.1", redis)).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_redis, mut to_redis) = redis.into_split();
    let (mut line_up, mut line_down) = (line.clone(), line);
    let up = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = from_client.read(&mut piece).await?;
            let _ = line_up.wait_for(|line| *line != Line::Silent).await;
            if length == 0 {
                return to_redis.shutdown().await;
            }
            to_redis.write_all(&piece[..length]).await?;
        }
    };
    let down = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = from_redis.read(&mut piece).await?;
            let _ = line_down.wait_for(|line| *line != Line::Silent).await;
            if length == 0 {
                return to_client.shutdown().await;
            }
            if *line_down.borrow() == Line::Garbled {
                for byte in piece[..length].iter_mut().filter(|byte| byte.is_ascii_alphanumeric()) {
                    *byte ^= 1;
                }
            }
            to_client.write_all(&piece[..length]).await?;
        }
    };
    tokio::try_join!(up, down)?;
    Ok(())
}
