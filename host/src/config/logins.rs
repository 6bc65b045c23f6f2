//! The tokens that `gnomon login` keeps, one for each host, in a file that only its user reads.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::client_token::ClientToken;

/// The file, in the folder of the user's settings.
const FILE: &str = "logins.json";
/// A file with more bytes is not one of ours.
const MAX_BYTES: u64 = 256 * 1024;
/// Hosts that are kept, at most.
const MAX_HOSTS: usize = 100;

/// The tokens of a user.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Logins {
    /// By the URLs of hosts, without a slash at the end.
    hosts: BTreeMap<String, String>,
}

/// Why the tokens of a user cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum LoginsError {
    /// There is no folder for them.
    #[error("there is no folder for the token: neither XDG_CONFIG_HOME nor HOME is set")]
    NoFolder,
    /// The file cannot be read or written.
    #[error("cannot use {path}: {error}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// Others can read the tokens in it.
    #[error("{path} can be read by other users of this machine; change that with `chmod 600 {path}`, and revoke the tokens in it", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It has something else in it.
    #[error("{path} is not a file of `gnomon login`; move it away, and log in again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Too many hosts.
    #[error("there are tokens for {MAX_HOSTS} hosts already; `gnomon logout` removes one")]
    TooMany,
}

impl Logins {
    /// The file in which they are: in `$XDG_CONFIG_HOME/gnomon`, or `~/.config/gnomon`.
    ///
    /// # Errors
    /// The user has no home.
    pub fn path() -> Result<PathBuf, LoginsError> {
        let of_user = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
        let folder = of_user.or_else(home).ok_or(LoginsError::NoFolder)?;
        Ok(folder.join("gnomon").join(FILE))
    }

    /// Reads them; there are none if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, others can read it, or it has something else in it.
    pub fn read(path: &Path) -> Result<Self, LoginsError> {
        let failed = |error| LoginsError::File { path: path.to_owned(), error };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(LoginsError::Open { path: path.to_owned() });
        }
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
        serde_json::from_str(&text).map_err(|_| LoginsError::Damaged { path: path.to_owned() })
    }

    /// The token for a host.
    #[must_use]
    pub fn get(&self, url: &str) -> Option<ClientToken> {
        self.hosts.get(&name(url)).and_then(|token| ClientToken::read(token))
    }

    /// Keeps the token for a host.
    ///
    /// # Errors
    /// There are too many, or the file cannot be written.
    pub fn keep(mut self, path: &Path, url: &str, token: &ClientToken) -> Result<(), LoginsError> {
        self.hosts.insert(name(url), token.reveal().to_owned());
        if self.hosts.len() > MAX_HOSTS {
            return Err(LoginsError::TooMany);
        }
        self.write(path).map_err(|error| LoginsError::File { path: path.to_owned(), error })
    }

    /// Forgets the token for a host; returns whether there was one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(mut self, path: &Path, url: &str) -> Result<bool, LoginsError> {
        if self.hosts.remove(&name(url)).is_none() {
            return Ok(false);
        }
        self.write(path).map_err(|error| LoginsError::File { path: path.to_owned(), error })?;
        Ok(true)
    }

    /// Writes another file in its place, so that nobody reads a half of it. It is its user's alone from its first byte on.
    fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let next = folder.join(format!("{FILE}.{}", std::process::id()));
        let written = (|| {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
            file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
            file.sync_all()?;
            fs::rename(&next, path)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&next);
        }
        written
    }
}

/// Nothing of the tokens.
impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.hosts.keys()).finish()
    }
}

/// The URL of a host as the name of its token: without a slash at its end, and without user and password.
fn name(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
            let slash = if path.is_empty() { "" } else { "/" };
            format!("{}://{host}{slash}{path}", scheme.to_ascii_lowercase())
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn token(text: &str) -> ClientToken {
        ClientToken::read(text).unwrap()
    }

    #[test]
    fn a_token_is_kept_for_its_host_in_a_file_of_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings/gnomon/logins.json");
        assert!(Logins::read(&path).unwrap().get("http://h:7070").is_none());
        Logins::default().keep(&path, "http://user:pw@H:7070/", &token("gnomon_a")).unwrap();
        Logins::read(&path).unwrap().keep(&path, "https://other/below", &token("gnomon_b")).unwrap();
        let kept = Logins::read(&path).unwrap();
        assert_eq!(kept.get("HTTP://h:7070"), Some(token("gnomon_a")));
        assert_eq!(kept.get("https://other/below/"), Some(token("gnomon_b")));
        assert_eq!(kept.get("https://other"), None);
        assert_eq!(format!("{kept:?}"), r#"{"http://h:7070", "https://other/below"}"#);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert!(kept.clone().forget(&path, "http://h:7070").unwrap() && !kept.forget(&path, "http://x").unwrap());
        assert_eq!(Logins::read(&path).unwrap().get("http://h:7070"), None);
    }

    #[test]
    fn a_file_that_others_read_or_that_is_another_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logins.json");
        Logins::default().keep(&path, "http://h", &token("gnomon_a")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = Logins::read(&path).unwrap_err().to_string();
        assert!(open.contains("can be read by other users") && open.contains("chmod 600"), "{open}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nonsense gnomon_a").unwrap();
        let damaged = Logins::read(&path).unwrap_err().to_string();
        assert!(damaged.contains("is not a file of `gnomon login`") && !damaged.contains("gnomon_a"), "{damaged}");
    }
}
