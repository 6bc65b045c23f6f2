//! Certificates for tests of TLS, made when they run.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// An authority of its own, which nobody trusts who is not told to.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate, and that of its authority.
    pub chain: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// If no key can be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let make = || {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate()?;
            let pem = params.self_signed(&key)?.pem();
            Ok::<_, rcgen::Error>(Self { issuer: Issuer::new(params, key), pem })
        };
        make().unwrap_or_else(|error| panic!("no authority: {error}"))
    }

    /// Its certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for hosts of these names and addresses.
    ///
    /// # Panics
    /// If a name is not one.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_until(names, 2100)
    }

    /// The same, which is valid until the beginning of a year.
    ///
    /// # Panics
    /// If a name is not one.
    #[must_use]
    pub fn issue_until(&self, names: &[&str], year: i32) -> Issued {
        let make = || {
            let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
            params.not_after = date_time_ymd(year, 1, 1);
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &self.issuer)?.pem();
            Ok::<_, rcgen::Error>(Issued { chain: format!("{certificate}{}", self.pem), key: key.serialize_pem() })
        };
        make().unwrap_or_else(|error| panic!("no certificate for {names:?}: {error}"))
    }
}
