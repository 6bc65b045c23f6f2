//! The files of a certificate and its key.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::error::{MAX_TLS_FILE_BYTES, TlsError};

/// Where the certificate of the listener and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead to its authority, as PEM.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
}

/// What is in both files.
#[derive(PartialEq, Eq)]
pub(super) struct Content {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is nobody's business.
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

impl TlsFiles {
    /// Reads both. It blocks.
    pub(super) fn read(&self) -> Result<Content, TlsError> {
        Ok(Content { certificate: read("--tls-cert", &self.certificate)?, key: read("--tls-key", &self.key)? })
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TLS_FILE_BYTES + 1).read_to_end(&mut content));
    read.map_err(|error| TlsError::Unreadable { option, path: path.to_owned(), error })?;
    if content.len() as u64 > MAX_TLS_FILE_BYTES {
        return Err(TlsError::TooLarge { option, path: path.to_owned() });
    }
    Ok(content)
}
