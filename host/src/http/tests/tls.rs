//! TLS of the listener, on real sockets.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use test_support::{Authority, Issued, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    connections::{LONGEST, Listening, SHORT, read_to_end, unhurried},
    *,
};

/// A host with a certificate for `localhost`, of an authority of its own.
pub(super) struct SecureHost {
    pub(super) listening: Listening,
    pub(super) authority: Authority,
    _folder: TempDir,
}

/// Writes a certificate and its key where a host looks for them.
pub(super) fn write(folder: &Path, issued: &Issued) -> TlsFiles {
    let files = TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") };
    std::fs::write(&files.certificate, &issued.chain).unwrap();
    std::fs::write(&files.key, &issued.key).unwrap();
    files
}

impl SecureHost {
    /// With a gate that is open, or not.
    pub(super) async fn start(gate: Gate, settings: ConnectionSettings) -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("a test"));
        let files = write(folder.path(), &authority.issue(&["localhost"]));
        let tls = Tls::load(files).unwrap();
        let listening = Listening::start_with(Some(tls), gate, settings).await;
        Self { listening, authority, _folder: folder }
    }

    /// A host without a database.
    pub(super) async fn starting(settings: ConnectionSettings) -> Self {
        Self::start(Gate::closed("a test"), settings).await
    }

    pub(super) async fn open(api: &TestApi, settings: HttpSettings) -> Self {
        let gate = Gate::closed("a test");
        let connections = settings.connections.clone();
        gate.open(api.host.api(settings, api.closing.clone()));
        Self::start(gate, connections).await
    }

    /// A connection for which this protocol is agreed upon.
    pub(super) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.listening.address).await.unwrap();
        secure(stream, &self.authority, protocol).await.unwrap()
    }

    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect("http/1.1").await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let _ = timeout(LONGEST, stream.read_to_end(&mut read)).await.expect("the host closes the connection");
        String::from_utf8(read).unwrap()
    }
}

/// TLS with a host that has a certificate for `localhost` of this authority.
pub(super) async fn secure(
    stream: TcpStream,
    authority: &Authority,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

const LIVE_ONCE: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_http_promises_holds_within_tls() {
    let host = SecureHost::starting(ConnectionSettings { idle_timeout: SHORT, ..unhurried() }).await;
    assert!(host.ask(LIVE_ONCE).await.starts_with("HTTP/1.1 200"));
    for (half, answered) in [
        ("", ""),
        ("GET /health/live HTTP/1.1\r\nhost: loc", ""),
        ("GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n", "HTTP/1.1 200"),
    ] {
        // Without `connection: close`: the host ends it, since nothing more comes.
        let answer = host.ask(half).await;
        assert!(answer.starts_with(answered) && answer.is_empty() == answered.is_empty(), "{half}: {answer}");
    }
    // Who speaks no TLS, gets nothing of the API.
    let mut plain = host.listening.connect(LIVE_ONCE).await;
    assert!(!String::from_utf8_lossy(&read_bytes(&mut plain).await).contains("HTTP"));
    let stranger = Authority::new("a stranger");
    let stream = TcpStream::connect(host.listening.address).await.unwrap();
    assert!(secure(stream, &stranger, "h2").await.is_err());
}

async fn read_bytes(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = timeout(LONGEST, stream.read_to_end(&mut read)).await.expect("the host closes the connection");
    read
}

/// They take no room from others, however many they are, and the host accepts connections meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_go_on_with_tls_keeps_nobody_out() {
    let host = SecureHost::starting(ConnectionSettings { max_client_connections: 4, ..unhurried() }).await;
    let mut silent = Vec::new();
    for _ in 0..3 * MAX_REFUSED {
        // The first byte of a handshake, and no more.
        silent.push(host.listening.connect("\u{16}").await);
    }
    assert!(host.ask(LIVE_ONCE).await.starts_with("HTTP/1.1 200"));
    assert_eq!(read_to_end(&mut silent[0]).await, "", "the first was idle for longest");
}

/// As certbot and Kubernetes write them: beside the old ones, and then a link leads there.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_used_by_new_connections_and_one_that_is_wrong_by_none() {
    let (folder, first, second) = (tempfile::tempdir().unwrap(), Authority::new("first"), Authority::new("second"));
    let put = |name: &str, issued: &Issued| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        write(&folder, issued);
        folder
    };
    let lead_to = |target: &Path| {
        let link = folder.path().join("new");
        std::os::unix::fs::symlink(target, &link).unwrap();
        std::fs::rename(&link, folder.path().join("current")).unwrap();
    };
    lead_to(&put("1", &first.issue(&["localhost"])));
    let current = folder.path().join("current");
    let files = TlsFiles { certificate: current.join("tls.crt"), key: current.join("tls.key") };
    let tls = Tls::load_and_look_every(files, std::time::Duration::from_millis(20)).unwrap();
    let host = Listening::start_with(Some(tls), Gate::closed("a test"), unhurried()).await;
    let connect = async |authority| {
        let stream = TcpStream::connect(host.address).await.unwrap();
        secure(stream, authority, "http/1.1").await
    };
    let mut open = connect(&first).await.unwrap();

    lead_to(&put("2", &second.issue(&["localhost"])));
    until("new connections get the new one", async || connect(&second).await.is_ok()).await;
    assert!(connect(&first).await.is_err());
    let shown = |line: &str| crate::metrics::of_host().text(crate::metrics::Readings::default()).contains(line);
    let until_refused = async |refused: u8| {
        let line = format!("gnomon_tls_certificate_refused {refused}\n");
        until("the measure shows it", async || shown(&line)).await;
    };
    until_refused(0).await;

    // The key of another certificate, and then no key at all.
    let mixed = Issued { key: second.issue(&["localhost"]).key, ..first.issue(&["localhost"]) };
    lead_to(&put("3", &mixed));
    until_refused(1).await;
    assert!(connect(&second).await.is_ok());
    std::fs::remove_file(folder.path().join("3/tls.key")).unwrap();
    lead_to(&put("4", &first.issue(&["localhost"])));
    until("it goes on with what is right again", async || connect(&first).await.is_ok()).await;
    until_refused(0).await;

    // The connection from before was never disturbed.
    open.write_all(LIVE_ONCE.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    timeout(LONGEST, open.read_to_end(&mut read)).await.unwrap().unwrap();
    assert!(read.starts_with(b"HTTP/1.1 200"));
    host.closing.cancel();
    timeout(LONGEST, host.serving).await.expect("the files are not followed for ever").unwrap();
}
