//! The cluster: its files, made once by `initdb`.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::config::Durability;
use super::error::EmbeddedError;
use super::layout::Layout;
use super::locate::Binaries;
use super::log::ServerLog;
use super::settings;
use super::supervise::{Program, Supervised};
use super::user::ServerUser;
use super::version::Major;

/// The role that owns the server. Gnomon uses it only to make its own role and database, so that it has the same rights on the
/// private server as on any other.
pub(super) const SUPERUSER: &str = "postgres";

/// The version that made a cluster, `None` if there is no cluster yet.
pub(super) fn major(layout: &Layout) -> Result<Option<Major>, EmbeddedError> {
    let cluster = layout.cluster();
    if !cluster.exists() {
        return Ok(None);
    }
    let path = cluster.join("PG_VERSION");
    let content = fs::read_to_string(&path).map_err(EmbeddedError::io("read", &path))?;
    let invalid = || EmbeddedError::io("read a version from", &path)(io::ErrorKind::InvalidData.into());
    Major::of_cluster(&content).map(Some).ok_or_else(invalid)
}

/// Makes a cluster. A host that is killed meanwhile leaves none: the folder gets its name when all is on disk.
pub(super) async fn create(
    layout: &Layout,
    binaries: &Binaries,
    user: &ServerUser,
    durability: Durability,
) -> Result<(), EmbeddedError> {
    // Replaces the password of a host that was killed before it had made its cluster.
    layout.write(&layout.password(), &new_password(), 0o600, Some(user))?;

    let unfinished = layout.unfinished("cluster");
    if let Err(error) = fill(layout, binaries, user, durability, &unfinished, &locales(binaries.major)).await {
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    let conf = unfinished.join("postgresql.conf");
    OpenOptions::new()
        .append(true)
        .open(&conf)
        .and_then(|mut file| {
            file.write_all(settings::INCLUDE.as_bytes())?;
            file.sync_all()
        })
        .map_err(EmbeddedError::io("write", &conf))?;
    fs::rename(&unfinished, layout.cluster()).map_err(EmbeddedError::io("rename to cluster", &unfinished))?;
    layout.sync()
}

/// Runs `initdb` with the first of the locales that this system knows.
pub(super) async fn fill(
    layout: &Layout,
    binaries: &Binaries,
    user: &ServerUser,
    durability: Durability,
    folder: &Path,
    locales: &[Vec<&str>],
) -> Result<(), EmbeddedError> {
    let mut locales = locales.iter().peekable();
    while let Some(locale) = locales.next() {
        fs::create_dir(folder).map_err(EmbeddedError::io("make the folder", folder))?;
        user.own(folder)?;
        match initdb(layout, binaries, user, durability, folder, locale).await {
            Err(EmbeddedError::Initdb { output, .. })
                if output.contains("invalid locale name") && locales.peek().is_some() =>
            {
                tracing::info!(?locale, "this system does not know the locale; trying another");
                fs::remove_dir_all(folder).map_err(EmbeddedError::io("remove", folder))?;
            }
            result => return result,
        }
    }
    Ok(())
}

async fn initdb(
    layout: &Layout,
    binaries: &Binaries,
    user: &ServerUser,
    durability: Durability,
    folder: &Path,
    locale: &[&str],
) -> Result<(), EmbeddedError> {
    let program = binaries.initdb();
    let password = layout.password();
    let mut args = vec![OsStr::new("-D"), folder.as_os_str(), OsStr::new("--pwfile"), password.as_os_str()];
    args.extend(options(durability, locale).into_iter().map(OsStr::new));

    let (log, output) = ServerLog::open(layout.log()).map_err(EmbeddedError::io("open", &layout.log()))?;
    let stop_timeout = Some(Duration::from_secs(5));
    let running = Supervised::start(Program { user, path: program.clone(), args, output, stop_timeout, remove: None })
        .map_err(EmbeddedError::io("run", &program))?;
    let end = running.ended().await;
    if end.is_success() {
        return Ok(());
    }
    Err(EmbeddedError::Initdb { bin: binaries.folder.clone(), end, output: log.tail() })
}

/// The options that determine the content of the cluster.
pub(in crate::postgres) fn options<'a>(durability: Durability, locale: &[&'a str]) -> Vec<&'a str> {
    let mut options = vec![
        "--username=postgres",
        // Every user of the machine can reach the port.
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // Detects a disk that returns other data than was written.
        "--data-checksums",
        "--no-instructions",
    ];
    options.extend(locale);
    if durability == Durability::Off {
        // Segments of 1 MB instead of 16, which are quicker to make, to copy and to remove.
        options.extend(["--no-sync", "--wal-segsize=1"]);
    }
    options
}

/// How text is compared, and what is a letter: alternatives, of which the first that this system knows is used.
///
/// Order is that of the code points, which is the same on every machine and after every upgrade of its C library (so
/// that indexes stay good), is fast, and lets an index serve `like 'x%'`. Lower case must reach beyond ASCII, for
/// `ilike`. From version 17 Postgres has that built in. Before, the order is `C`, and the system's own `C.UTF-8` or a
/// locale like it says what a letter is.
fn locales(major: Major) -> Vec<Vec<&'static str>> {
    if major >= Major::new(17) {
        return vec![vec!["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]];
    }
    let letters = [
        "--lc-ctype=C.UTF-8",
        "--lc-ctype=C.utf8",
        // macOS has no C.UTF-8. What a letter is does not depend on the language.
        "--lc-ctype=en_US.UTF-8",
        "--lc-ctype=UTF-8",
        // Only ASCII has a lower case then. No system is known to need it.
        "--lc-ctype=C",
    ];
    letters.into_iter().map(|letters| vec!["--locale=C", letters]).collect()
}

/// The password of Gnomon's own cluster.
pub(super) fn read_password(layout: &Layout) -> Result<String, EmbeddedError> {
    let path = layout.password();
    match fs::read_to_string(&path) {
        Ok(content) => Ok(content.trim().to_owned()),
        Err(error) => Err(EmbeddedError::Password { path, cause: error.to_string() }),
    }
}

/// 244 random bits from the system, in letters that need no quoting anywhere.
fn new_password() -> String {
    format!("{}{}\n", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
