//! Servers whose certificate is refused.

use std::error::Error;

use rustls::{CertificateError, Error as TlsError};

/// Why the server's certificate is refused and what to do about it, if that is what the error says. Waiting does not help then, though sqlx
/// 0.8.6 reports it as it does a connection that breaks.
pub(super) fn refused_certificate(error: &sqlx::Error) -> Option<String> {
    let sqlx::Error::Io(error) = error else { return None };
    let tls = error.get_ref().and_then(|inner| (inner as &(dyn Error + 'static)).downcast_ref::<TlsError>())?;
    let TlsError::InvalidCertificate(certificate) = tls else { return None };
    Some(match certificate {
        CertificateError::UnknownIssuer => {
            "no authority that this host trusts has signed it. Name the file of that authority's certificate \
             with sslrootcert=… in the database URL"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "it is the certificate of another name ({certificate}). Write a name of the certificate as the host of the database URL, or let \
             the server have a certificate with this name"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("it has expired ({certificate}). Let the server have a new one")
        }
        other => other.to_string(),
    })
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
