//! A certificate with its key, checked.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, Error, InconsistentKeys, RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer, UnixTime,
        pem::{Error as PemError, PemObject},
    },
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use tracing::warn;

use super::{
    error::TlsError,
    files::{Content, TlsFiles},
};

/// The end of the year 9999: no certificate is valid for longer.
const END_OF_TIME: Duration = Duration::from_secs(253_402_300_799);

/// A certificate that can be used.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    /// When it expires, in seconds of Unix time.
    pub(super) expires: Option<u64>,
}

impl Certificate {
    /// Reads what is in the files.
    pub(super) fn parse(files: &TlsFiles, content: &Content) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(&content.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.and_then(|chain| if chain.is_empty() { Err(PemError::NoItemsFound) } else { Ok(chain) });
        let chain = chain
            .map_err(|error| TlsError::NoCertificate { path: files.certificate.clone(), reason: reason(&error) })?;
        let key = PrivateKeyDer::from_pem_slice(&content.key)
            .map_err(|error| TlsError::NoKey { path: files.key.clone(), reason: reason(&error) })?;
        let provider = ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() }
            }
            error => TlsError::unusable(files, error),
        })?;
        let expires = expires(&key, &provider);
        Ok(Self { key: Arc::new(key), expires })
    }

    /// Logs that clients will refuse it, if they will for its times. It is served nevertheless: a host that does not start helps nobody.
    pub(super) fn warn_of_times(&self, files: &TlsFiles) {
        let file = files.certificate.display();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match validity(&self.key, &ring::default_provider(), now) {
            Err(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
                warn!(%file, "the certificate of --tls-cert has expired: clients refuse it");
            }
            Err(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                warn!(%file, "the certificate of --tls-cert is not valid yet: clients refuse it, unless their clocks are ahead");
            }
            _ => {}
        }
    }
}

impl TlsError {
    pub(super) fn unusable(files: &TlsFiles, error: Error) -> Self {
        Self::Unusable { certificate: files.certificate.clone(), key: files.key.clone(), error: Box::new(error) }
    }
}

fn reason(error: &PemError) -> String {
    match error {
        PemError::NoItemsFound => String::new(),
        other => format!(" ({other})"),
    }
}

/// rustls shows the times of a certificate only where it refuses one: as it does with each at the end of time.
fn expires(key: &CertifiedKey, provider: &CryptoProvider) -> Option<u64> {
    match validity(key, provider, END_OF_TIME) {
        Err(CertificateError::ExpiredContext { not_after, .. }) => Some(not_after.as_secs()),
        _ => None,
    }
}

/// What is wrong with a certificate at a time, for somebody who trusts no authority. Its times are looked at first.
fn validity(key: &CertifiedKey, provider: &CryptoProvider, at: Duration) -> Result<(), CertificateError> {
    let checked = key.end_entity_cert().and_then(|certificate| {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let at = UnixTime::since_unix_epoch(at);
        let algorithms = provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &RootCertStore::empty(), &[], at, algorithms)
    });
    match checked {
        Err(Error::InvalidCertificate(error)) => Err(error),
        _ => Ok(()),
    }
}
