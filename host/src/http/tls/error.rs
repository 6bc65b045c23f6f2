//! Why a certificate cannot be used.

use std::{io, path::PathBuf};

/// The bytes of each of both files, at most: a chain of certificates takes some KiB.
pub const MAX_TLS_FILE_BYTES: u64 = 1024 * 1024;

/// Why the certificate of the listener, or its key, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the file {} of {option} cannot be read: {error}", path.display())]
    Unreadable {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// A file is too large.
    #[error("the file {} of {option} has more than {MAX_TLS_FILE_BYTES} bytes, so it is not a file of certificates or keys", path.display())]
    TooLarge {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The file of the certificate has none.
    #[error(
        "the file {} of --tls-cert has no certificate{reason}: it has to be PEM, the host's own certificate first and then those that lead to \
         its authority, each between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----", path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, if it can be said.
        reason: String,
    },
    /// The file of the key has none.
    #[error(
        "the file {} of --tls-key has no private key that can be read{reason}: it has to be PEM, PKCS#8 (-----BEGIN PRIVATE KEY-----), SEC1 (EC \
         PRIVATE KEY) or PKCS#1 (RSA PRIVATE KEY), and not encrypted with a password", path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, if it can be said.
        reason: String,
    },
    /// The key is that of another certificate.
    #[error(
        "the key {} of --tls-key is not that of the first certificate in {} of --tls-cert; both files have to be from one issue, and the host's own \
         certificate comes before those of authorities", key.display(), certificate.display()
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// They are of a kind that this program cannot use.
    #[error("the certificate {} of --tls-cert or its key {} cannot be used: {error}", certificate.display(), key.display())]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What is wrong.
        error: Box<rustls::Error>,
    },
}
