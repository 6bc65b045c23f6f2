//! Where the host keeps its files.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;

/// Where the host keeps its files: compiled modules, and the private Postgres if it has one.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DataDirOptions {
    /// Folder for the host's files [default: ~/.local/share/gnomon; as root /var/lib/gnomon]
    #[arg(long, env = "GNOMON_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

impl DataDirOptions {
    /// The folder that was given, or the usual one.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(default_data_dir)
    }
}

/// The usual folder: of the system if the host runs as root, else of the user.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    let home = || env::var_os("HOME").map(PathBuf::from);
    // The private Postgres of a host that runs as root runs as another user, whom root's home keeps out.
    if nix::unistd::Uid::effective().is_root() {
        return Path::new("/var/lib/gnomon").to_owned();
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    match data.or_else(|| Some(home()?.join(".local/share"))) {
        Some(data) => data.join("gnomon"),
        None => PathBuf::from("gnomon-data"),
    }
}
