//! `gnomon export`

use std::{
    fs::{File, Permissions},
    io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use reqwest::{Response, header};
use serde::Serialize;

use super::{
    client::Client,
    end::End,
    figures, output,
    progress::Progress,
    query::{Past, Rows, Wait},
};
use crate::config::ClientOptions;

/// Write the rows of a table of a projection's read model to a file of Parquet or Arrow, which DuckDB, polars and pandas read.
///
/// All rows are of one position, which the file names in its metadata as `gnomon.position`, beside `gnomon.projection`, `gnomon.table`,
/// `gnomon.version` and `gnomon.build` (of rows of the past, `gnomon.past_build`). Without --order, --limit and --offset they are in no order.
///
/// The command waits as `gnomon query` does until the read model holds the effect of the event that you have appended last to this host. It
/// writes to a temporary file beside the file, which gets its name when it is whole. A regular file of this name is replaced then; a device or a
/// pipe is refused.
#[derive(Args, Debug)]
#[command(disable_version_flag = true)]
pub(super) struct Export {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The table
    #[arg(add = crate::cli::known_names::tables())]
    table: String,

    #[command(flatten)]
    rows: Rows,

    /// What the file is: one of Parquet, compressed with Snappy, or the stream of Arrow IPC, not compressed
    #[arg(long, value_enum, default_value_t = FileFormat::Parquet)]
    format: FileFormat,

    /// The file [default: PROJECTION_TABLE.parquet or PROJECTION_TABLE.arrows in the current folder]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    wait: Wait,

    #[command(flatten)]
    past: Past,

    /// Print what was written as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum FileFormat {
    Parquet,
    Arrow,
}

/// What was written, for scripts.
#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    format: FileFormat,
    bytes: u64,
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    past_build: Option<u64>,
}

/// An answer that was received to its end.
struct Whole {
    bytes: u64,
    position: u64,
    build: Option<u64>,
    past_build: Option<u64>,
}

impl FileFormat {
    fn media_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// The end of the name of such files.
    fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Arrow => "arrows",
        }
    }

    /// The last bytes of a whole file: of Parquet its name, of a stream of Arrow a message that nothing follows.
    fn end(self) -> &'static [u8] {
        match self {
            Self::Parquet => b"PAR1",
            Self::Arrow => &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        }
    }
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { projection, table, format, .. } = &self;
        let default = || PathBuf::from(format!("{projection}_{table}.{}", format.extension()));
        let file = self.output.clone().unwrap_or_else(default);
        // What can be refused is refused before the host reads a row.
        let target = target_of(&file)?;
        let client = Client::new(&self.client)?;
        let mut end = End::listen()?;
        let mut written = temporary_beside(&target)?;
        let whole = tokio::select! {
            whole = self.write(&client, written.as_file_mut()) => whole?,
            // Left alone, a signal leaves the temporary file.
            () = end.asked() => bail!("interrupted; nothing is kept of the export"),
        };
        written.persist(&target).with_context(|| format!("cannot name the file {}", file.display()))?;
        let Whole { bytes, position, build, past_build } = whole;
        if self.json {
            output::json(&Written { file: &file, format: *format, bytes, position, build, past_build })?;
        } else {
            output::data(file.display())?;
        }
        output::say(format_args!("{} at position {}", figures::bytes(bytes), figures::count(position)));
        Ok(())
    }

    /// Writes the whole answer of the host to a file.
    async fn write(&self, client: &Client, file: &mut File) -> anyhow::Result<Whole> {
        let Self { projection, table, format, .. } = self;
        let [limit, offset] = [self.rows.limit, self.rows.offset];
        let request = || {
            client
                .get(&["v1", "read-models", projection, table])
                .query(&self.rows.parameters())
                .query(&[("limit", limit), ("offset", offset)])
                .query(&self.past.parameters())
                .header(header::ACCEPT, format.media_type())
        };
        let response = self.wait.first(client, projection, &self.past, request).await?;
        let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if media_type != Some(format.media_type()) {
            bail!("the host answers in another format ({}); is it of this version?", media_type.unwrap_or("none"));
        }
        let number = |name: &str| response.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
        let position = number("gnomon-position").context("the answer of the host has no position")?;
        let (build, past_build) = (number("gnomon-build"), number("gnomon-past-build"));
        let bytes = receive(client, response, file, *format).await?;
        Ok(Whole { bytes, position, build, past_build })
    }
}

/// The file that is to be written, or replaced: what a link leads to, and nothing but a regular file. A device would be gone for all, and
/// whoever reads a pipe would get nothing.
fn target_of(file: &Path) -> anyhow::Result<PathBuf> {
    let shown = file.display();
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(file.to_owned()),
        found => found.with_context(|| format!("cannot look at {shown}"))?,
    };
    let target = file.canonicalize().with_context(|| format!("cannot find what {shown} leads to"))?;
    let kind = target.metadata().with_context(|| format!("cannot look at {}", target.display()))?.file_type();
    if kind.is_dir() {
        bail!("{shown} is a folder; name a file with --output");
    }
    if !kind.is_file() {
        bail!("{shown} is not a regular file, and an export replaces what is there; name another file with --output");
    }
    Ok(target)
}

/// A file in the folder of another, so that it can get the name of that. Dropped, it is removed.
fn temporary_beside(file: &Path) -> anyhow::Result<tempfile::NamedTempFile> {
    let name = file.file_name().with_context(|| format!("{} is not the name of a file", file.display()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        // As any other file that is made, less what the umask takes away.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .with_context(|| format!("cannot write in the folder {}", folder.display()))
}

/// Writes the whole answer to a file, and returns its bytes.
async fn receive(client: &Client, mut response: Response, file: &mut File, format: FileFormat) -> anyhow::Result<u64> {
    let progress = Progress::start();
    let mut received = 0;
    loop {
        let chunk = response.chunk().await.map_err(|error| client.connection_error(&error));
        let Some(chunk) = chunk.context("the export broke off, and nothing is kept of it; the host's log says why")?
        else {
            break;
        };
        file.write_all(&chunk)?;
        received += chunk.len() as u64;
        progress.show(received, None, format_args!("{} received", figures::bytes(received)));
    }
    drop(progress);
    // Something between here and the host may have taken a connection that broke for the end.
    if !ends_with(file, format.end())? {
        bail!("the export broke off after {}, and nothing is kept of it: its end is missing", figures::bytes(received));
    }
    // Its name is to mean all of it, also after a power cut.
    file.sync_all()?;
    Ok(received)
}

fn ends_with(file: &mut File, end: &[u8]) -> std::io::Result<bool> {
    let mut found = vec![0; end.len()];
    let length = file.seek(SeekFrom::End(0))?;
    if length < end.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-i64::try_from(end.len()).unwrap_or_default()))?;
    file.read_exact(&mut found)?;
    Ok(found == end)
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn a_file_is_whole_if_it_has_its_end() {
        for (bytes, format, is_whole) in [
            (&b"PAR1...PAR1"[..], FileFormat::Parquet, true),
            (b"PAR1...PAR", FileFormat::Parquet, false),
            (b"R1", FileFormat::Parquet, false),
            (b"", FileFormat::Arrow, false),
            (b"schema\xff\xff\xff\xff\0\0\0\0", FileFormat::Arrow, true),
            (b"schema\xff\xff\xff\xff\x10\0\0\0", FileFormat::Arrow, false),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            assert_eq!(ends_with(&mut file, format.end()).unwrap(), is_whole, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_whole_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.parquet");
        let written = temporary_beside(&file).unwrap();
        assert_eq!(written.path().parent(), Some(folder.path()));
        drop(written);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(temporary_beside(&folder.path().join("missing/a.parquet")).is_err());
    }

    #[test]
    fn only_regular_files_are_replaced_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old, link, dangling, socket] =
            ["new", "old", "link", "dangling", "socket"].map(|name| folder.path().join(name));
        assert_eq!(target_of(&new).unwrap(), new);
        std::fs::write(&old, "before").unwrap();
        symlink("old", &link).unwrap();
        let old = old.canonicalize().unwrap();
        assert_eq!([target_of(&old).unwrap(), target_of(&link).unwrap()], [old.clone(), old]);
        symlink("nowhere", &dangling).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        for (path, reason) in [
            (folder.path(), " is a folder; name a file with --output"),
            (&socket, " is not a regular file, and an export replaces what is there; name another file with --output"),
            (
                Path::new("/dev/null"),
                "/dev/null is not a regular file, and an export replaces what is there; name another file with --output",
            ),
        ] {
            let error = target_of(path).unwrap_err().to_string();
            assert!(error.ends_with(reason), "{error}");
        }
        assert!(target_of(&dangling).is_err());
    }
}
