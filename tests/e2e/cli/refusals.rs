//! Errors name what does not exist, and the way out.

use gnomon::postgres::test_database::TestDatabase;

use super::{Said, refused};
use crate::support::{Host, gnomon};

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_named() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    insta::assert_snapshot!(refused(&host, &["projections", "nobody"]).await, @r"
    error: there is no projection `nobody`
      see <host>/errors/projection_not_found
    ");
    insta::assert_snapshot!(refused(&host, &["modules", "nobody"]).await, @r"
    error: there is no module `nobody`
      see <host>/errors/module_not_found
    ");
    insta::assert_snapshot!(refused(&host, &["events", "nobody-1"]).await, @r"
    error: there is no stream `nobody-1`
      see <host>/errors/stream_not_found
    ");
}

#[test]
fn without_a_host_every_command_says_how_to_start_one() {
    // A port that was just free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    for arguments in [
        ["projections"].as_slice(),
        &["modules"],
        &["streams"],
        &["stats"],
        &["events"],
        &["explain", "1"],
        &["replay", "count-1"],
        &["events", "--follow"],
        &["append", "order-1", "--type", "OrderPlaced"],
        &["query", "bank", "accounts"],
        &["export", "bank", "accounts"],
        &["rebuild", "bank"],
        &["compare", "bank"],
        &["verify", "bank"],
        &["delete", "bank", "--yes", "bank"],
        &["upcasters"],
        &["reactors"],
        &["reactors", "pause", "settlement"],
        &["rehearse", "settlement", "--from", "1", "--to", "2"],
        &["sinks"],
        &["personal-data"],
        &["forget", "customer-7"],
        &["outbox"],
    ] {
        let said = Said::from(gnomon().args(arguments).env("GNOMON_URL", &url).output().unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.err.starts_with(&format!("error: no host answers at {url} (")), "{arguments:?}: {}", said.err);
        assert!(
            said.err.ends_with("; start one with `gnomon serve`, or give its URL with --url\n"),
            "{arguments:?}: {}",
            said.err
        );
    }
}
