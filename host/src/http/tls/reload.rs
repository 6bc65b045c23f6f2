//! The certificate that new connections get, which follows its files.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

use super::{
    certificate::Certificate,
    error::TlsError,
    files::{Content, TlsFiles},
};
use crate::metrics;

/// The name under which TLS agrees upon HTTP/2.
pub(in crate::http) const HTTP2: &[u8] = b"h2";
/// Those of the versions of HTTP, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];

/// How often the files are looked at. Their content is compared, and not their time: Kubernetes and certbot change where a link leads, and a
/// file that is renamed keeps its time.
const INTERVAL: Duration = Duration::from_secs(5);

/// TLS of the listener. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    /// What was in the files when the host started.
    loaded: Arc<Content>,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    interval: Duration,
}

/// The certificate for new connections.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads and checks the certificate and its key. It blocks, for as long as two small files take.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        Self::load_and_look_every(files, INTERVAL)
    }

    pub(in crate::http) fn load_and_look_every(files: TlsFiles, interval: Duration) -> Result<Self, TlsError> {
        let loaded = Arc::new(files.read()?);
        let certificate = Certificate::parse(&files, &loaded)?;
        certificate.warn_of_times(&files);
        let current = Arc::new(Current(RwLock::new(Arc::clone(&certificate.key))));
        metrics::of_host().http.uses_certificate(certificate.expires);
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::unusable(&files, error))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
        let mut config = config.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { files, loaded, current, config: Arc::new(config), interval })
    }

    /// Makes TLS of new connections.
    pub(in crate::http) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Follows the files, for ever. Connections that are open keep what they have. What cannot be used changes nothing, and is said once.
    pub(in crate::http) async fn follow_files(&self) {
        let mut used = Arc::clone(&self.loaded);
        let mut refused: Option<Refused> = None;
        loop {
            tokio::time::sleep(self.interval).await;
            let found = self.read().await;
            if found.as_ref().is_ok_and(|found| *found == *used) {
                if refused.take().is_some_and(|refused| refused.is_said) {
                    info!("the files of the certificate are those that this host uses again");
                }
                metrics::of_host().http.refuses_certificate(false);
                continue;
            }
            let (content, tried) = match found {
                Ok(content) => {
                    let tried = Certificate::parse(&self.files, &content);
                    (Some(Arc::new(content)), tried)
                }
                Err(error) => (None, Err(error)),
            };
            match tried {
                Ok(certificate) => {
                    certificate.warn_of_times(&self.files);
                    metrics::of_host().http.uses_certificate(certificate.expires);
                    metrics::of_host().http.refuses_certificate(false);
                    *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = certificate.key;
                    info!(expires = certificate.expires, "new connections get the new certificate of --tls-cert");
                    (used, refused) = (content.unwrap_or(used), None);
                }
                Err(error) => match &mut refused {
                    Some(before) if before.content == content => {
                        metrics::of_host().http.refuses_certificate(true);
                        if !before.is_said {
                            error!(%error, "the new certificate cannot be used; this host goes on with the one before");
                        }
                        before.is_said = true;
                    }
                    // One of both files is mostly renamed before the other one, so what is found once is looked at again.
                    _ => refused = Some(Refused { content, is_said: false }),
                },
            }
        }
    }

    async fn read(&self) -> Result<Content, TlsError> {
        let files = self.files.clone();
        spawn_blocking(move || files.read()).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

/// What was found and cannot be used; no content if it cannot be read.
struct Refused {
    content: Option<Arc<Content>>,
    is_said: bool,
}
