//! A receiver of webhooks: what the application of the passengers would have.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    num::NonZeroUsize,
    os::unix::fs::OpenOptionsExt as _,
    path::{self, Path},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lru::LruCache;
use serde::Deserialize;
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::cli::{figures, host::prepare_folder, output::say};

/// Bytes of a message, at most.
const MAX_BYTES: usize = 64 * 1024;
/// Ids of messages that are known, so that one that comes again does not count.
const KNOWN_IDS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How old a signature may be, as Standard Webhooks advise.
const TOLERANCE: Duration = Duration::from_secs(300);
/// Messages that are shown.
const SHOWN: usize = 3;
/// The file with the secret.
const SECRET: &str = "passengers";

/// A receiver that runs until it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    /// The secret, as Standard Webhooks write it.
    secret: String,
    received: Arc<Received>,
    task: JoinHandle<()>,
}

/// What has come.
struct Received {
    key: [u8; 32],
    messages: Mutex<Messages>,
}

struct Messages {
    known: LruCache<String, ()>,
    count: u64,
    /// The first ones, as they are shown.
    first: Vec<String>,
    /// Why the last one was refused that was.
    refused: Option<String>,
    /// Whether those that come are said at once.
    are_said: bool,
}

/// A CloudEvent, of which only the data matters here.
#[derive(Deserialize)]
struct Message {
    data: Delay,
}

/// What the module `delays` tells.
#[derive(Deserialize)]
struct Delay {
    flight: String,
    minutes: i64,
}

impl Receiver {
    /// Listens, on this machine only.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot receive messages on 127.0.0.1")?;
        let address = listener.local_addr()?;
        let key: [u8; 32] = rand::random();
        let messages =
            Messages { known: LruCache::new(KNOWN_IDS), count: 0, first: Vec::new(), refused: None, are_said: false };
        let received = Arc::new(Received { key, messages: Mutex::new(messages) });
        let router = Router::new()
            .route("/", post(take))
            .layer(DefaultBodyLimit::max(MAX_BYTES))
            .with_state(Arc::clone(&received));
        let task = tokio::spawn(async move {
            // It ends with the demo, or with its socket; then messages wait, and the demo says so.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, secret: format!("whsec_{}", BASE64_STANDARD.encode(key)), received, task })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Writes the secret into a file of this folder, for nobody but this user, and returns how a sink names it.
    pub(super) fn keep_secret(&self, folder: &Path) -> anyhow::Result<String> {
        prepare_folder(folder)?;
        let path = path::absolute(folder.join(SECRET))?;
        self.write_secret(&path)
            .with_context(|| format!("cannot write the secret of webhooks to {}", path.display()))?;
        let path = path.to_str().with_context(|| format!("the path {} is not UTF-8", path.display()))?;
        Ok(format!("file:{path}"))
    }

    fn write_secret(&self, path: &Path) -> io::Result<()> {
        // One of an earlier run may be open to others.
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(self.secret.as_bytes())
    }

    /// How many messages have come, each once.
    pub(super) fn count(&self) -> u64 {
        self.received.messages().count
    }

    /// The first messages, as lines.
    pub(super) fn first(&self) -> Vec<String> {
        self.received.messages().first.clone()
    }

    /// Why the last message was refused that was.
    pub(super) fn refused(&self) -> Option<String> {
        self.received.messages().refused.clone()
    }

    /// From now on, each message is said when it comes.
    pub(super) fn say_more(&self) {
        self.received.messages().are_said = true;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Received {
    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, headers: &HeaderMap, body: &[u8], now: Duration) -> Result<(), String> {
        let id = verify(&self.key, headers, body, now)?;
        let Message { data } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut messages = self.messages();
        if messages.known.put(id, ()).is_some() {
            return Ok(());
        }
        messages.count += 1;
        let line = format!("{} leaves {} late", data.flight, figures::counted(data.minutes.unsigned_abs(), "minute"));
        if messages.are_said {
            say(format_args!("a message for passengers: {line}"));
        } else if messages.first.len() < SHOWN {
            messages.first.push(line);
        }
        Ok(())
    }
}

/// Takes a message. Whoever sent one that is refused tries it again.
async fn take(State(received): State<Arc<Received>>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match received.take(&headers, &body, now) {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err(reason) => {
            received.messages().refused = Some(reason.clone());
            (StatusCode::BAD_REQUEST, reason)
        }
    }
}

/// Checks that a message is signed with the key, as Standard Webhooks say (standardwebhooks.com), and that it is not an old one. Returns its id.
fn verify(key: &[u8], headers: &HeaderMap, body: &[u8], now: Duration) -> Result<String, String> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, timestamp, signatures) =
        (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let sent =
        timestamp.parse().map(Duration::from_secs).map_err(|_| "webhook-timestamp is not a number".to_owned())?;
    if sent.abs_diff(now) > TOLERANCE {
        return Err(format!("it was signed more than {} s ago, or will be", TOLERANCE.as_secs()));
    }
    let is_right = |signature: &[u8]| {
        // HMAC takes a key of any length. The comparison takes the same time wherever the two differ.
        Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut mac| {
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            mac.verify_slice(signature).is_ok()
        })
    };
    let mut given =
        signatures.split(' ').filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok());
    if given.any(|signature| is_right(&signature)) {
        Ok(id.to_owned())
    } else {
        Err("the signature is wrong".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// The example of Standard Webhooks.
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SENT: u64 = 1_614_265_330;

    fn check(changed: (&'static str, &str), body: &[u8], now: u64) -> Result<String, String> {
        let headers = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", SIGNATURE),
        ];
        let mut headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        headers.insert(HeaderName::from_static(changed.0), HeaderValue::from_str(changed.1).unwrap());
        verify(&BASE64_STANDARD.decode(KEY).unwrap(), &headers, body, Duration::from_secs(now))
    }

    #[test]
    fn only_what_is_signed_now_with_the_secret_is_taken() {
        let none = ("content-type", "application/json");
        assert_eq!(check(none, BODY, SENT).unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert!(check(("webhook-signature", &format!("v1,AAAA v2,x {SIGNATURE}")), BODY, SENT + 300).is_ok());
        for (changed, body, now) in [
            (none, &b"{\"test\": 2432232315}"[..], SENT),
            (none, BODY, SENT + 301),
            (none, BODY, SENT - 301),
            (("webhook-id", "another"), BODY, SENT),
            (("webhook-timestamp", "1614265331"), BODY, SENT),
            (("webhook-timestamp", "now"), BODY, SENT),
            (("webhook-signature", "v1,AAAA"), BODY, SENT),
            (("webhook-signature", ""), BODY, SENT),
        ] {
            assert!(check(changed, body, now).is_err(), "{changed:?} {now}");
        }
    }

    #[tokio::test]
    async fn a_message_that_comes_again_counts_once_and_one_that_is_not_signed_is_refused() {
        let receiver = Receiver::start().await.unwrap();
        let body = br#"{"specversion": "1.0", "data": {"flight": "20130101-UA1545-EWR", "minutes": 121}}"#;
        let mut mac = Hmac::<Sha256>::new_from_slice(&receiver.received.key).unwrap();
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        mac.update(format!("a.{sent}.").as_bytes());
        mac.update(body);
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        let send = async |signature: &str| {
            let request = reqwest::Client::new().post(receiver.url()).header("webhook-id", "a");
            let request = request.header("webhook-timestamp", sent).header("webhook-signature", signature);
            request.body(&body[..]).send().await.unwrap().status().as_u16()
        };
        assert_eq!([send(&signature).await, send(&signature).await, send("v1,AAAA").await], [204, 204, 400]);
        assert_eq!(
            (receiver.count(), receiver.first()),
            (1, vec!["20130101-UA1545-EWR leaves 121 minutes late".to_owned()])
        );
        assert_eq!(receiver.refused().as_deref(), Some("the signature is wrong"));
    }

    #[tokio::test]
    async fn the_secret_is_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = Receiver::start().await.unwrap();
        for _ in 0..2 {
            let reference = receiver.keep_secret(&folder.path().join("secrets")).unwrap();
            let path = reference.strip_prefix("file:").unwrap();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::read_to_string(path).unwrap(), receiver.secret);
        }
    }
}
