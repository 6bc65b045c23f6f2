//! Commands against a host that speaks TLS.

use gnomon::postgres::test_database::TestDatabase;
use test_support::Authority;

use super::Said;
use crate::support::{Host, gnomon};

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_a_host_with_a_certificate_of_an_own_authority() {
    let database = TestDatabase::create().await;
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("a test"));
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let issued = authority.issue(&["localhost", "127.0.0.1"]);
    let (certificate, key) = (file("tls.crt", &issued.chain), file("tls.key", &issued.key));
    let (trusted, stranger) = (file("ca.pem", authority.pem()), file("other.pem", Authority::new("other").pem()));
    let host = Host::start_with(&database, &["--tls-cert", &certificate, "--tls-key", &key]).await;
    let url = host.url().replace("http://", "https://");
    let run = async |arguments: &[&str], authority: Option<&str>| {
        let mut command = gnomon();
        command.args(arguments).env("GNOMON_URL", &url);
        if let Some(authority) = authority {
            command.env("GNOMON_CA_FILE", authority);
        }
        Said::from(tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap())
    };

    let appended = run(&["append", "order-1", "--type", "OrderPlaced", "--data", "{}"], Some(&trusted)).await;
    assert_eq!(appended.code, Some(0), "{}", appended.err);
    for arguments in [["events", "order-1"].as_slice(), &["streams"], &["projections"], &["stats"]] {
        let said = run(arguments, Some(&trusted)).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    }
    let said = run(&["doctor", "--ca-file", &trusted, "--database-url", &database.url()], None).await;
    assert!(said.out.contains(&format!("readiness of {url}")), "{}{}", said.out, said.err);

    for authority in [None, Some(stranger.as_str())] {
        let said = run(&["events"], authority).await;
        assert_eq!(said.code, Some(1));
        assert!(said.err.starts_with(&format!("error: the certificate of {url} is refused (")), "{}", said.err);
        assert!(said.err.contains("--ca-file (GNOMON_CA_FILE)"), "{}", said.err);
    }
    let said = run(&["events", "--ca-file", &key], None).await;
    assert!(said.err.contains("of --ca-file has no certificates that can be read"), "{}", said.err);
}

#[test]
fn a_host_without_a_usable_certificate_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str]| {
        let mut command = gnomon();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path()).args(arguments);
        Said::from(command.output().unwrap())
    };
    let said = start(&["--tls-cert", "/nowhere/tls.crt", "--tls-key", "/nowhere/tls.key"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("error: the file /nowhere/tls.crt of --tls-cert cannot be read"), "{}", said.err);
    let said = start(&["--tls-cert", "/nowhere/tls.crt"]);
    assert!(said.code == Some(2) && said.err.contains("--tls-key"), "{}", said.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
