//! TLS of the listener: a certificate and its key from files, which are looked at again while the host runs.

mod certificate;
mod error;
mod files;
mod reload;

pub(super) use self::reload::HTTP2;
pub use self::{
    error::{MAX_TLS_FILE_BYTES, TlsError},
    files::TlsFiles,
    reload::Tls,
};

#[cfg(test)]
mod tests;
