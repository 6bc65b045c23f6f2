use std::path::Path;

use test_support::{Authority, Issued};

use super::*;

fn files(folder: &Path, certificate: &str, key: &str) -> TlsFiles {
    let files = TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") };
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    files
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("a test");
    let [Issued { chain, key }, other] = [authority.issue(&["localhost"]), authority.issue(&["localhost"])];
    let refused = |certificate: &str, key: &str| {
        let files = files(folder.path(), certificate, key);
        let error = Tls::load(files).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(folder.path().to_str().unwrap()), "{message}");
        (error, message)
    };
    for (certificate, key, option) in [
        ("", key.as_str(), "--tls-cert"),
        (key.as_str(), &key, "--tls-cert"),
        (&chain, "", "--tls-key"),
        (&chain, &chain, "--tls-key"),
    ] {
        let (_, message) = refused(certificate, key);
        assert!(message.contains(option) && message.contains("-----BEGIN"), "{message}");
    }
    assert!(matches!(refused(&chain, &other.key), (TlsError::Mismatch { .. }, _)));
    // A chain that begins with the certificate of the authority.
    assert!(matches!(refused(authority.pem(), &key), (TlsError::Mismatch { .. }, _)));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(refused(broken, &key), (TlsError::Unusable { .. }, _)));
    let large = "-".repeat(usize::try_from(MAX_TLS_FILE_BYTES).unwrap() + 1);
    assert!(matches!(refused(&large, &key), (TlsError::TooLarge { option: "--tls-cert", .. }, _)));
    std::fs::remove_file(folder.path().join("tls.key")).unwrap();
    let gone = TlsFiles { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
    std::fs::write(&gone.certificate, &chain).unwrap();
    assert!(matches!(Tls::load(gone), Err(TlsError::Unreadable { option: "--tls-key", .. })));
}

#[test]
fn it_is_known_when_a_certificate_expires_also_if_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("a test");
    for (year, expires) in [(2000, 946_684_800), (2100, 4_102_444_800)] {
        let Issued { chain, key } = authority.issue_until(&["localhost"], year);
        let files = files(folder.path(), &chain, &key);
        let certificate = certificate::Certificate::parse(&files, &files.read().unwrap()).unwrap();
        assert_eq!(certificate.expires, Some(expires));
        // A host with one that has expired starts, and logs it.
        Tls::load(files).unwrap();
    }
}
