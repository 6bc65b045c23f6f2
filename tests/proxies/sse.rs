//! Followers behind nginx get each event when it comes.

use futures_util::StreamExt;
use gnomon::postgres::test_database::TestDatabase;
use serde_json::json;
use test_support::client;

use crate::{host, nginx::Nginx};

/// The pieces of an answer that does not end, as they come.
struct Followed {
    response: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    read: String,
}

impl Followed {
    async fn begin(url: &str) -> Self {
        let response = client().get(url).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{response:?}");
        Self { response: Box::pin(response.bytes_stream()), read: String::new() }
    }

    /// Reads until the text has come.
    async fn until(&mut self, text: &str) {
        let read = async {
            while !self.read.contains(text) {
                let piece = self.response.next().await.expect("the stream ended").unwrap();
                self.read.push_str(std::str::from_utf8(&piece).unwrap());
            }
        };
        // Far less than nginx needs to fill its buffers, and than the 60 s after which it gives a silent host up.
        let in_time = tokio::time::timeout(std::time::Duration::from_secs(30), read).await;
        assert!(in_time.is_ok(), "`{text}` did not come: {:?}", self.read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_behind_nginx_get_each_event_at_once() {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let nginx = Nginx::start(&format!("location / {{ proxy_pass {}; }}", host.url())).await;
    for (path, event) in
        [("/v1/events?after=head", true), ("/v1/streams/count-1/events", true), ("/v1/projections", false)]
    {
        let mut followed = Followed::begin(&format!("{}{path}", nginx.url())).await;
        // The first line comes before the first event, so that a client knows that it is connected.
        followed.until(":").await;
        if event {
            for n in 1..=2 {
                host.append_one("count-1", "Counted", json!({"n": n, "path": path})).await;
                followed.until(&json!({"n": n, "path": path}).to_string()).await;
            }
        }
    }
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let mut followed = Followed::begin(&format!("{}/v1/projections/tally", nginx.url())).await;
    followed.until(r#""name":"tally""#).await;
}
