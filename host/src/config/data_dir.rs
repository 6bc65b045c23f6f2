//! The folder of the host's files.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;

/// The folder of the host's files: compiled modules, and the private Postgres if there is one.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DataDirOptions {
    /// Folder for the host's files [default: ~/.local/share/gnomon; as root /var/lib/gnomon]
    #[arg(long, env = "GNOMON_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

impl DataDirOptions {
    /// The folder that the option names, or the default.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(default_data_dir)
    }
}

/// The default folder: one of the system if the host runs as root, else one of the user.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    let home = || env::var_os("HOME").map(PathBuf::from);
    // If the host runs as root, its private Postgres runs as another user, who may not enter root's home.
    if nix::unistd::Uid::effective().is_root() {
        return Path::new("/var/lib/gnomon").to_owned();
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    match data.or_else(|| Some(home()?.join(".local/share"))) {
        Some(data) => data.join("gnomon"),
        None => PathBuf::from("gnomon-data"),
    }
}
