//! What nginx calls the host, and what a page that it serves may do.

use std::sync::Arc;

use gnomon::postgres::test_database::TestDatabase;
use test_support::client;

use crate::{host, nginx::Nginx, program::HostProcess};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nginx_passes_is_allowed_by_the_host() {
    let database = TestDatabase::create().await;
    let strict = host(&database).await;
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let arguments = ["--allowed-host".to_owned(), "gnomon.example".to_owned()];
    let open = HostProcess::start(&database.url(), folder, &arguments).await;
    for (host, passes, expected) in [
        (&strict, "", 200),
        (&strict, "proxy_set_header Host gnomon.example;", 421),
        (&open, "proxy_set_header Host gnomon.example;", 200),
        (&open, "proxy_set_header Host other.example;", 421),
    ] {
        let nginx = Nginx::start(&format!("location / {{ proxy_pass {}; {passes} }}", host.url())).await;
        let response = client().get(format!("{}/v1/events", nginx.url())).send().await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{passes}: {}", response.text().await.unwrap());
    }
    // A page of the name that clients use may operate the host, whatever nginx calls it; one of another name may not.
    let nginx = Nginx::start(&format!("location / {{ proxy_pass {}; }}", open.url())).await;
    for (origin, expected) in [("https://gnomon.example", 404), ("https://evil.example", 403)] {
        let pause = client().post(format!("{}/v1/projections/nobody/pause", nginx.url())).header("origin", origin);
        assert_eq!(pause.send().await.unwrap().status().as_u16(), expected, "{origin}");
    }
}
