//! The way from a data directory to a running server.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use super::config::{EmbeddedConfig, StartProgress};
use super::error::EmbeddedError;
use super::layout::Layout;
use super::locate::{Binaries, Found, Search};
use super::lock::HostLock;
use super::log::ServerLog;
use super::ready::{self, NAME, NotReady};
use super::server::{EmbeddedPostgres, connect_options};
use super::supervise::{Program, Supervised};
use super::user::ServerUser;
use super::version::Major;
use super::{cluster, download, port, postmaster, settings};
use crate::metrics;

/// How many ports are tried if another program takes each before the server does.
const PORT_ATTEMPTS: usize = 10;

/// What a start knows before it touches the cluster.
struct Preparation {
    layout: Layout,
    lock: HostLock,
    user: ServerUser,
    /// The version that made the cluster, if there is one.
    cluster: Option<Major>,
    found: Found,
}

impl EmbeddedPostgres {
    /// Finds or downloads a server, makes the cluster if there is none, starts the server and waits until it takes
    /// connections. Dropping the future ends what was started.
    ///
    /// # Errors
    /// Says what is missing and how to get it. [`EmbeddedError::InUse`] if another host has this data directory.
    pub async fn start(config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let started = Instant::now();
        let Preparation { layout, lock, user, cluster, found } = {
            let config = config.clone();
            // Programs are run to learn their versions, which blocks.
            let prepared = tokio::task::spawn_blocking(move || prepare(&config)).await;
            prepared.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?
        };
        let binaries = match found.chosen {
            Some(binaries) => binaries,
            None => download(&layout, &config, &user, cluster, &found.others).await?,
        };
        tracing::info!(version = binaries.version, folder = %binaries.folder.display(), user = user.name(), "PostgreSQL found");

        if cluster.is_some() {
            postmaster::end_predecessor(&layout.cluster(), &config).await?;
        } else {
            config.report(StartProgress::Initialising);
            tracing::info!(cluster = %layout.cluster().display(), "making the database");
            cluster::create(&layout, &binaries, &user, config.durability).await?;
        }
        let password = cluster::read_password(&layout)?;
        settings::write(&layout, config.durability)?;

        let port = port::remembered(&layout).unwrap_or_else(port::choose);
        let (server, log, port) = run(&layout, &binaries, &user, &config, port).await?;
        let options = connect_options(port, &password, NAME, NAME);
        let superuser = connect_options(port, &password, cluster::SUPERUSER, "postgres");
        ready::connect(&options, &superuser, &password, &layout.password()).await?;
        port::remember(&layout, port)?;

        let milliseconds = started.elapsed().as_millis();
        tracing::info!(pid = server.pid(), port, milliseconds, "the private PostgreSQL is ready");
        let ended = server.ended();
        metrics::of_host().private_postgres.is_up(true);
        tokio::spawn(async move {
            ended.await;
            metrics::of_host().private_postgres.is_up(false);
        });
        let log_keeper = tokio::spawn(log.clone().keep_short());
        Ok(Self { server, log_keeper, log, layout, major: binaries.major, port, password, _lock: lock })
    }
}

fn prepare(config: &EmbeddedConfig) -> Result<Preparation, EmbeddedError> {
    let layout = Layout::under(&config.data_dir)?;
    let user = ServerUser::choose(&layout.cluster())?;
    user.create_dir(layout.home())?;
    if config.remove_data_dir {
        // The watcher (`leash.sh`), which runs as the server's user, must be able to remove it.
        user.own(layout.data_dir())?;
        user.own(layout.home())?;
    }
    let lock = HostLock::take(&layout, &user)?;
    user.check_reach(layout.home())?;
    layout.sweep()?;
    let cluster = cluster::major(&layout)?;
    let found = Search::of_this_machine(config.pg_bin.clone()).find(cluster, &user)?;
    Ok(Preparation { layout, lock, user, cluster, found })
}

/// Downloads a server, since none of this machine can be used.
async fn download(
    layout: &Layout,
    config: &EmbeddedConfig,
    user: &ServerUser,
    cluster: Option<Major>,
    others: &[Binaries],
) -> Result<Binaries, EmbeddedError> {
    if let Some(major) = cluster.filter(|major| *major != download::MAJOR) {
        let mut found: Vec<String> =
            others.iter().map(|other| format!("{} (in {})", other.major, other.folder.display())).collect();
        found.push(format!("{} (by download)", download::MAJOR));
        return Err(EmbeddedError::OtherMajor { cluster: layout.cluster(), major, found: found.join(", ") });
    }
    download::server(&layout.downloads(), config, user).await.map_err(|download| EmbeddedError::NoServer { download })
}

/// Starts the server and waits until it is ready. Tries again with another port if the port is in use, and after a pause if
/// backends of an earlier server are still running.
pub(super) async fn run(
    layout: &Layout,
    binaries: &Binaries,
    user: &ServerUser,
    config: &EmbeddedConfig,
    mut port: u16,
) -> Result<(Supervised, ServerLog, u16), EmbeddedError> {
    let started = Instant::now();
    let cluster = layout.cluster();
    let mut ports_taken = 0;
    loop {
        let (log, output) = ServerLog::open(layout.log()).map_err(EmbeddedError::io("open", &layout.log()))?;
        let port_setting = format!("port={port}");
        let mut server = Supervised::start(Program {
            user,
            path: binaries.postgres(),
            args: vec![OsStr::new("-D"), cluster.as_os_str(), OsStr::new("-c"), OsStr::new(&port_setting)],
            output,
            stop_timeout: Some(config.stop_timeout).filter(|timeout| !timeout.is_zero()),
            remove: config.remove_data_dir.then(|| layout.data_dir().to_owned()),
        })
        .map_err(EmbeddedError::io("run", &binaries.postgres()))?;

        let end = match ready::wait(&server, &cluster, &log, config, started).await {
            Ok(()) => return Ok((server, log, port)),
            Err(NotReady::Failed(error)) => return Err(error),
            Err(NotReady::Ended(end)) => end,
        };
        let output = log.tail();
        if output.contains("could not bind") && ports_taken < PORT_ATTEMPTS {
            // The port was free when it was chosen, and not when the server started.
            ports_taken += 1;
            tracing::warn!(port, "another program uses the port; choosing another one");
            port = port::choose();
        } else if output.contains("pre-existing shared memory block") && started.elapsed() < config.start_timeout {
            // The postmaster of an earlier host was killed, and its backends are about to notice. Postgres does not start before
            // the last of them has ended.
            tracing::debug!("backends of an earlier server are still there");
            tokio::time::sleep(Duration::from_millis(100)).await;
        } else {
            return Err(EmbeddedError::Ended { cluster, end, output });
        }
        server.keep_folder();
    }
}
