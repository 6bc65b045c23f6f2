//! A way from a host to Postgres that a test can slow down, silence and cut, also exactly at a commit.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinHandle,
};

use super::wire::{Frontend, Message};

/// What happens to what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It passes.
    Open,
    /// Each piece passes after this time.
    Slow(Duration),
    /// Nothing passes, in neither direction, and nobody is told: every connection stays open.
    Silent,
    /// Every connection is closed, and so is each new one.
    Cut,
}

/// What happens to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Postgres never gets it, and the connection is closed: nothing is committed.
    Lost,
    /// The connection is closed at once when it was sent on: it is committed, a little later.
    AnswerNotAwaited,
    /// The connection is closed when Postgres has answered, and the answer is dropped: it is committed.
    AnswerLost,
    /// The answer is dropped, and the connection stays open and silent.
    AnswerNeverComes,
}

/// Whose commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of a transaction that has written events.
    OfAppends,
    /// That of any other one: of a batch of a build, or of an operation.
    OfOthers,
}

/// The commit to which something is to happen.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    whose: Whose,
    doubt: Doubt,
    /// Commits of this kind that pass before it.
    passing: usize,
    /// Whether nothing passes after it, on any connection.
    is_last: bool,
}

#[derive(Default)]
struct Commits {
    wanted: Mutex<Option<Wanted>>,
    done: AtomicUsize,
}

impl Commits {
    /// What is to happen to this commit; this is asked once for each.
    fn decide(&self, appends: bool) -> Option<Wanted> {
        let mut wanted = self.wanted.lock().unwrap();
        let found = wanted.as_mut().filter(|wanted| appends == (wanted.whose == Whose::OfAppends))?;
        if found.passing > 0 {
            found.passing -= 1;
            return None;
        }
        wanted.take()
    }
}

/// Listens on loopback, and passes what it reads on to Postgres and back.
pub(crate) struct Proxy {
    port: u16,
    line: Arc<watch::Sender<Line>>,
    commits: Arc<Commits>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a way to the server of a URL, which has a port.
    pub(crate) async fn start(server: &str) -> Self {
        let server = address(server);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(watch::Sender::new(Line::Open));
        let commits = Arc::new(Commits::default());
        let (passed, cut_by) = (Arc::clone(&commits), Arc::clone(&line));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (line, commits) = (Arc::clone(&cut_by), Arc::clone(&passed));
                tokio::spawn(async move {
                    let mut cut = line.subscribe();
                    tokio::select! {
                        // It ends when either side ends.
                        _ = pass(client, server, &line, &commits) => {}
                        () = until_cut(&mut cut) => {}
                    }
                });
            }
        });
        Self { port, line, commits, task }
    }

    /// The URL of the server, through this.
    pub(crate) fn through(&self, server: &str) -> String {
        server.replace(&address(server).to_string(), &format!("127.0.0.1:{}", self.port))
    }

    /// From now on this happens to what is sent.
    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Closes every connection, and accepts new ones.
    pub(crate) async fn cut_once(&self) {
        self.set(Line::Cut);
        // The tasks of the connections see the state, and not only that it has changed, so they must have run in between.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.set(Line::Open);
    }

    /// From now on the next commit of this kind fares like this. [`Proxy::commits_cut`] counts them.
    pub(crate) fn cut_next_commit(&self, whose: Whose, doubt: Doubt) {
        self.want(Wanted { whose, doubt, passing: 0, is_last: false });
    }

    /// The same with the next commit of this kind after so many that pass; and then every connection is closed, until the line is
    /// [set](Proxy::set) again. So nothing that the host does after it arrives.
    pub(crate) fn end_at_commit(&self, passing: usize, whose: Whose, doubt: Doubt) {
        self.want(Wanted { whose, doubt, passing, is_last: true });
    }

    fn want(&self, wanted: Wanted) {
        *self.commits.wanted.lock().unwrap() = Some(wanted);
    }

    pub(crate) fn commits_cut(&self) -> usize {
        self.commits.done.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.set(Line::Cut);
    }
}

/// The address in a URL such as `postgres://user:password@127.0.0.1:5432/database`.
fn address(url: &str) -> SocketAddr {
    let (_, rest) = url.rsplit_once('@').unwrap();
    rest.split(['/', '?']).next().unwrap().parse().unwrap()
}

async fn until_cut(line: &mut watch::Receiver<Line>) {
    let _ = line.wait_for(|line| *line == Line::Cut).await;
}

/// Returns when the next piece may pass.
async fn hold(line: &mut watch::Receiver<Line>) {
    loop {
        let now = *line.borrow_and_update();
        match now {
            Line::Open | Line::Cut => return,
            Line::Slow(pause) => return tokio::time::sleep(pause).await,
            Line::Silent => {
                if line.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn pass(client: TcpStream, server: SocketAddr, line: &watch::Sender<Line>, commits: &Commits) -> io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // Once set, what Postgres answers is dropped.
    let (dropping, answered) = (AtomicBool::new(false), Notify::new());
    let (mut line_up, mut line_down) = (line.subscribe(), line.subscribe());
    let up = async {
        let mut frontend = Frontend::default();
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = from_client.read(&mut piece).await?;
            hold(&mut line_up).await;
            if length == 0 {
                return to_server.shutdown().await;
            }
            frontend.push(&piece[..length]);
            while let Some(message) = frontend.next_message() {
                let wanted = if message.is_commit() { commits.decide(message.is_of_append()) } else { None };
                let Some(Wanted { doubt, is_last, .. }) = wanted else {
                    to_server.write_all(message.bytes()).await?;
                    continue;
                };
                cut_commit(doubt, &message, &mut to_server, &dropping, &answered).await?;
                if is_last {
                    line.send_replace(Line::Cut);
                }
                commits.done.fetch_add(1, Ordering::SeqCst);
                if doubt == Doubt::AnswerNeverComes {
                    // Until the client gives up.
                    while from_client.read(&mut piece).await? > 0 {}
                }
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    };
    let down = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut piece).await?;
            hold(&mut line_down).await;
            if dropping.load(Ordering::SeqCst) {
                answered.notify_one();
                if length == 0 {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            if length == 0 {
                return to_client.shutdown().await;
            }
            to_client.write_all(&piece[..length]).await?;
        }
    };
    tokio::try_join!(up, down)?;
    Ok(())
}

async fn cut_commit(
    doubt: Doubt,
    commit: &Message,
    to_server: &mut (impl AsyncWriteExt + Unpin),
    dropping: &AtomicBool,
    answered: &Notify,
) -> io::Result<()> {
    if doubt == Doubt::Lost {
        return Ok(());
    }
    // The client waits for the answers to all that it sent before, so what comes from now on is the answer to the commit.
    dropping.store(true, Ordering::SeqCst);
    to_server.write_all(commit.bytes()).await?;
    if doubt != Doubt::AnswerNotAwaited {
        answered.notified().await;
    }
    Ok(())
}
