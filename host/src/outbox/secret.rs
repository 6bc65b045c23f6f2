//! Secrets of sinks, by reference: the database and the API have the reference, and hosts read the secret when they need it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;

/// What the name of each variable begins with that holds a secret: who may change a sink must not be able to send any variable of the host
/// somewhere.
pub const SECRET_VARIABLES: &str = "GNOMON_SECRET_";
/// Bytes of a secret, at most.
const MAX_BYTES: u64 = 64 * 1024;

/// Where a secret is: `env:GNOMON_SECRET_…`, a variable of the host's environment, or `file:/path`, a file below the host's folder of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretRef(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Variable(String),
    File(PathBuf),
}

/// A text is not a [`SecretRef`]. It is not shown: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is given by reference, never itself: `env:{SECRET_VARIABLES}…` for a variable of the host's environment whose name begins so, or \
     `file:/…` for the absolute path of a file"
)]
pub struct SecretRefError;

/// Why a secret cannot be read. Whoever may see the reference may see this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SecretError {
    /// There is no such variable.
    #[error("this host has no variable `{0}`, or one that is not UTF-8; set it where the host is started")]
    NoVariable(String),
    /// The host reads no variables.
    #[error(
        "the secret is in the variable `{0}`, and this host has several tenants, which are not to know each other's variables; put the secret \
         into a file in the folder of the tenant below --secrets-dir"
    )]
    NoVariables(String),
    /// The host reads no files.
    #[error("the secret is in the file `{0}`, and this host reads no secrets from files; start it with --secrets-dir")]
    NoFolder(String),
    /// The file is elsewhere.
    #[error("the file `{0}` is not in the folder of --secrets-dir")]
    Elsewhere(String),
    /// The file cannot be read.
    #[error("the secret cannot be read from the file `{path}`: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        error: String,
    },
    /// What there is is not a secret.
    #[error("the secret of `{0}` is empty, longer than {MAX_BYTES} bytes, or not UTF-8")]
    NotASecret(SecretRef),
}

/// A secret that was read. It is shown nowhere.
pub(super) struct Secret(String);

impl Secret {
    #[cfg(test)]
    pub(super) fn new(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// The secret, without the blanks around it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secrets that a host can read.
#[derive(Debug)]
pub(super) struct Secrets {
    folder: Option<PathBuf>,
    variables: bool,
}

impl Secrets {
    /// Files in a folder, and variables of the environment if the host has them for sinks.
    pub(super) fn new(folder: Option<PathBuf>, variables: bool) -> Self {
        Self { folder, variables }
    }

    /// Reads a secret, which may be another one each time.
    pub(super) async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match &reference.0 {
            Place::Variable(name) if !self.variables => Err(SecretError::NoVariables(name.clone())),
            _ => reference.read(self.folder.as_deref()).await,
        }
    }
}

impl SecretRef {
    /// Checks a reference.
    ///
    /// # Errors
    /// It has another form.
    pub fn new(reference: &str) -> Result<Self, SecretRefError> {
        if let Some(name) = reference.strip_prefix("env:") {
            let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let rest = name.strip_prefix(SECRET_VARIABLES).filter(|rest| !rest.is_empty() && is_name(rest));
            return rest.map(|_| Self(Place::Variable(name.to_owned()))).ok_or(SecretRefError);
        }
        let path = reference.strip_prefix("file:").filter(|path| !path.contains('\0')).ok_or(SecretRefError)?;
        let path = PathBuf::from(path);
        if path.is_absolute() { Ok(Self(Place::File(path))) } else { Err(SecretRefError) }
    }

    /// Reads the secret. Files are read in `folder` only.
    async fn read(&self, folder: Option<&Path>) -> Result<Secret, SecretError> {
        let text = match &self.0 {
            Place::Variable(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?,
            Place::File(path) => self.read_file(path, folder).await?,
        };
        let secret = text.trim();
        // It goes into a header.
        let is_secret = !secret.is_empty() && text.len() as u64 <= MAX_BYTES;
        if is_secret { Ok(Secret(secret.to_owned())) } else { Err(SecretError::NotASecret(self.clone())) }
    }

    async fn read_file(&self, path: &Path, folder: Option<&Path>) -> Result<String, SecretError> {
        let shown = || path.display().to_string();
        let unreadable = |error: std::io::Error| SecretError::Unreadable { path: shown(), error: error.to_string() };
        let folder = folder.ok_or_else(|| SecretError::NoFolder(shown()))?;
        // Links are followed before it is looked where the file is.
        let folder = tokio::fs::canonicalize(folder).await.map_err(unreadable)?;
        let found = tokio::fs::canonicalize(path).await;
        if !found.as_ref().map_or(path.starts_with(&folder), |found| found.starts_with(&folder)) {
            return Err(SecretError::Elsewhere(shown()));
        }
        let found = found.map_err(unreadable)?;
        if !tokio::fs::metadata(&found).await.map_err(unreadable)?.is_file() {
            // A pipe would be waited for.
            return Err(SecretError::NotASecret(self.clone()));
        }
        let file = tokio::fs::File::open(&found).await.map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
        String::from_utf8(bytes).map_err(|_| SecretError::NotASecret(self.clone()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Variable(name) => write!(f, "env:{name}"),
            Place::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = SecretRefError;

    fn try_from(reference: String) -> Result<Self, SecretRefError> {
        Self::new(&reference)
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_reference_is_a_variable_for_secrets_or_an_absolute_path() {
        for reference in ["env:GNOMON_SECRET_ORDERS", "env:GNOMON_SECRET_2", "file:/run/secrets/orders"] {
            assert_eq!(SecretRef::new(reference).unwrap().to_string(), reference);
        }
        for reference in [
            "env:DATABASE_URL",
            "env:GNOMON_SECRET_",
            "env:GNOMON_SECRET_A=B",
            "file:orders",
            "file:",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "",
        ] {
            let error = SecretRef::new(reference).unwrap_err().to_string();
            assert!(!error.contains("MfKQ"), "{error}");
        }
    }

    #[tokio::test]
    async fn files_are_read_in_the_folder_of_secrets_only() {
        let folders = tempfile::tempdir().unwrap();
        let (secrets, other) = (folders.path().join("secrets"), folders.path().join("other"));
        fs::create_dir(&secrets).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(secrets.join("good"), "top secret\n").unwrap();
        fs::write(secrets.join("empty"), " \n").unwrap();
        fs::write(secrets.join("long"), "x".repeat(70_000)).unwrap();
        fs::write(other.join("away"), "elsewhere").unwrap();
        symlink(other.join("away"), secrets.join("link")).unwrap();
        symlink("good", secrets.join("inner")).unwrap();
        let read = async |path: &Path, folder: Option<&Path>| {
            let reference = SecretRef::new(&format!("file:{}", path.display())).unwrap();
            reference.read(folder).await.map(|secret| secret.reveal().to_owned())
        };
        let inside = Some(secrets.as_path());
        assert_eq!(read(&secrets.join("good"), inside).await.unwrap(), "top secret");
        assert_eq!(read(&secrets.join("inner"), inside).await.unwrap(), "top secret");
        for name in ["link", "../other/away"] {
            assert!(matches!(read(&secrets.join(name), inside).await, Err(SecretError::Elsewhere(_))), "{name}");
        }
        for name in ["empty", "long", "."] {
            assert!(matches!(read(&secrets.join(name), inside).await, Err(SecretError::NotASecret(_))), "{name}");
        }
        assert!(matches!(read(&secrets.join("none"), inside).await, Err(SecretError::Unreadable { .. })));
        assert!(matches!(read(&secrets.join("good"), None).await, Err(SecretError::NoFolder(_))));
    }

    #[tokio::test]
    async fn without_variables_none_is_read_whether_it_is_there_or_not() {
        let reference = SecretRef::new("env:GNOMON_SECRET_OF_ANOTHER_TENANT").unwrap();
        let refused = Secrets::new(None, false).read(&reference).await.unwrap_err();
        assert_eq!(refused, SecretError::NoVariables("GNOMON_SECRET_OF_ANOTHER_TENANT".to_owned()));
        let missing = Secrets::new(None, true).read(&reference).await.unwrap_err();
        assert!(matches!(missing, SecretError::NoVariable(_)), "{missing}");
    }

    #[tokio::test]
    async fn a_variable_that_is_not_there_is_named() {
        let reference = SecretRef::new("env:GNOMON_SECRET_THAT_NOBODY_SETS").unwrap();
        let error = reference.read(None).await.unwrap_err();
        assert_eq!(error, SecretError::NoVariable("GNOMON_SECRET_THAT_NOBODY_SETS".to_owned()));
    }
}
