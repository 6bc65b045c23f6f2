//! The HTTP client of the commands.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Certificate, Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE},
};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::config::{ClientOptions, ClientToken, ClientTokenError, TrustOptions};

/// How long a host may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one host.
#[derive(Clone, Debug)]
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
    has_token: bool,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The URL is not valid.
    #[error("`{url}` is not a valid host URL ({reason}); --url takes one such as http://127.0.0.1:7070")]
    Url { url: String, reason: String },
    /// There is no token where there should be one.
    #[error(transparent)]
    Token(#[from] ClientTokenError),
    /// The host wants a token.
    #[error(
        "{url} wants to know who asks, and there is no token for it; `gnomon login` keeps one, or give it with the variable GNOMON_TOKEN, or in a file with --token-file"
    )]
    NoToken { url: String },
    /// The host cannot be reached.
    #[error("no host answers at {url} ({reason}); start one with `gnomon serve`, or give its URL with --url")]
    NoHost { url: String, reason: String },
    /// The host does not show that it is the one that is meant.
    #[error(
        "the certificate of {url} is refused ({reason}). Name the file of the authority that has signed it with --ca-file (GNOMON_CA_FILE), and \
         call the host by a name of its certificate"
    )]
    Certificate { url: String, reason: String },
    /// What answers does not speak TLS.
    #[error(
        "what answers at {url} does not agree upon TLS ({reason}); if the host has no --tls-cert, its URL begins with http://"
    )]
    NoTls { url: String, reason: String },
    /// The file of the authorities cannot be used.
    #[error("the file {} of --ca-file has no certificates that can be read ({reason}); it has to be PEM", path.display())]
    Authorities { path: PathBuf, reason: String },
    /// The connection ended before the answer was complete.
    #[error("the connection to {url} was lost: {reason}")]
    Broken { url: String, reason: String },
    /// The host answered with a problem.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The answer is not what this program expects.
    #[error("cannot read the answer of {url}: {reason}; is it a Gnomon host of this version?")]
    Answer { url: String, reason: String },
}

impl ClientError {
    /// Whether the same request may succeed later, because the host or the network fails only now.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::NoHost { .. } | Self::Broken { .. } => true,
            Self::Refused(problem) => matches!(problem.status(), 408 | 429 | 502 | 503 | 504),
            Self::Url { .. }
            | Self::Certificate { .. }
            | Self::NoTls { .. }
            | Self::Authorities { .. }
            | Self::Token(_)
            | Self::NoToken { .. }
            | Self::Answer { .. } => false,
        }
    }

    /// The message without advice on how to start a host, for commands that have reached it before.
    pub(super) fn without_advice(&self) -> String {
        match self {
            Self::NoHost { url, .. } => format!("no host answers at {url}"),
            other => other.to_string(),
        }
    }

    /// Whether the request never got to the host, so that it has certainly changed nothing.
    pub(super) fn host_not_reached(&self) -> bool {
        matches!(self, Self::NoHost { .. } | Self::Certificate { .. } | Self::NoTls { .. })
    }
}

impl Client {
    /// A client of the host, or of the tenant of it, that the options name.
    pub(super) fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        Self::with(&options.place(), options.token()?.as_ref(), &options.trust)
    }

    /// A client of the host at a URL, which asks nobody who they are, and trusts whom the system trusts.
    pub(super) fn of(url: &str) -> Result<Self, ClientError> {
        Self::with(url, None, &TrustOptions::default())
    }

    /// A client of the host at a URL.
    pub(super) fn with(url: &str, token: Option<&ClientToken>, trust: &TrustOptions) -> Result<Self, ClientError> {
        let refuse = |reason: String| ClientError::Url { url: url.to_owned(), reason };
        let base = Url::parse(url).map_err(|error| refuse(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refuse("it begins with neither http:// nor https://".to_owned()));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT);
        if is_loopback(&base) {
            // A proxy would look for the host on the machine of the proxy.
            builder = builder.no_proxy();
        }
        if let Some(token) = token {
            // A token has visible ASCII characters only.
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
                .map_err(|error| refuse(error.to_string()))?;
            value.set_sensitive(true);
            builder = builder.default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]));
        }
        let has_token = token.is_some();
        if let Some(path) = &trust.ca_file {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        let http = builder.build().map_err(|error| refuse(innermost(&error)))?;
        Ok(Self { base, http, has_token })
    }

    /// The URL of the host, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The URL of the host without user and password, under which something is remembered of it.
    pub(super) fn name(&self) -> String {
        let mut url = self.base.clone();
        // Both can only fail for URLs that have no host.
        let _ = (url.set_username(""), url.set_password(None));
        url.as_str().trim_end_matches('/').to_owned()
    }

    /// A request for `/a/b`, given as `["a", "b"]`. Special characters in a part are escaped.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        self.http.request(method, url)
    }

    /// A GET request.
    pub(super) fn get(&self, path: &[&str]) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Sends a request, and returns the answer if its status is a success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.connection_error(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED && !self.has_token && response.headers().contains_key(WWW_AUTHENTICATE) {
            return Err(ClientError::NoToken { url: self.url().to_owned() });
        }
        let body = response.text().await.map_err(|error| self.connection_error(&error))?;
        Err(ClientError::Refused(Box::new(Problem::read(status.as_u16(), &body, &self.base))))
    }

    /// Sends a request, and reads the answer's body.
    pub(super) async fn text(&self, request: RequestBuilder) -> Result<String, ClientError> {
        let response = self.send(request).await?;
        response.text().await.map_err(|error| self.connection_error(&error))
    }

    /// Sends a request, and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        Ok(self.json_and_status(request).await?.0)
    }

    /// Sends a request, and reads the answer as JSON; also returns its status.
    pub(super) async fn json_and_status<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<(T, StatusCode), ClientError> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = response.text().await.map_err(|error| self.connection_error(&error))?;
        Ok((self.parse(&body)?, status))
    }

    /// Reads JSON of an answer.
    pub(super) fn parse<'b, T: serde::Deserialize<'b>>(&self, body: &'b str) -> Result<T, ClientError> {
        serde_json::from_str(body)
            .map_err(|error| ClientError::Answer { url: self.url().to_owned(), reason: error.to_string() })
    }

    /// The error of a connection that failed.
    pub(super) fn connection_error(&self, error: &reqwest::Error) -> ClientError {
        let (url, reason) = (self.url().to_owned(), innermost(error));
        match of_tls(error) {
            Some(rustls::Error::InvalidCertificate(_)) => ClientError::Certificate { url, reason },
            Some(_) if error.is_connect() => ClientError::NoTls { url, reason },
            _ if error.is_connect() => ClientError::NoHost { url, reason },
            _ => ClientError::Broken { url, reason },
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let refuse = |reason: String| ClientError::Authorities { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(innermost(&error)))?;
    if certificates.is_empty() { Err(refuse("there are none".to_owned())) } else { Ok(certificates) }
}

/// What TLS says, if an error is of it.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // The source of an error of the system is that of the error within it, not that error itself.
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = within.map(|within| within as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The message of the innermost error; the outer ones say only that a request failed.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client, ClientError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::of(url)
    }

    fn path(url: &str, path: &[&str]) -> String {
        client(url).unwrap().get(path).build().unwrap().url().to_string()
    }

    #[test]
    fn parts_of_a_path_stay_parts() {
        let path_of = |name| path("http://h:1", &["v1", "streams", name, "events"]);
        assert_eq!(path_of("account-7"), "http://h:1/v1/streams/account-7/events");
        assert_eq!(path_of("a/b?c#d%"), "http://h:1/v1/streams/a%2Fb%3Fc%23d%25/events");
        assert_eq!(path("http://h:1/below/", &["v1"]), "http://h:1/below/v1");
    }

    #[test]
    fn a_host_is_remembered_without_the_password_of_its_url() {
        let name = |url| client(url).unwrap().name();
        assert_eq!(name("http://ada:secret@h:80/sub/"), "http://h/sub");
        assert_eq!(name("http://127.0.0.1:7070"), name("http://127.0.0.1:7070/"));
    }

    #[test]
    fn an_invalid_url_is_refused_with_an_example() {
        let error = client("127.0.0.1:7070").unwrap_err().to_string();
        assert!(error.contains("`127.0.0.1:7070`") && error.contains("such as http://127.0.0.1:7070"), "{error}");
        let error = client("postgres://h").unwrap_err().to_string();
        assert!(error.contains("neither http:// nor https://"), "{error}");
    }

    #[tokio::test]
    async fn an_unreachable_host_is_an_error_with_the_way_out() {
        // A port that was just free.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = client(&format!("http://127.0.0.1:{port}/")).unwrap();
        let error = client.text(client.get(&["v1", "events"])).await.unwrap_err();
        assert!(error.host_not_reached() && error.is_temporary());
        let message = error.to_string();
        assert!(message.starts_with(&format!("no host answers at http://127.0.0.1:{port} (")), "{message}");
        assert!(message.ends_with("start one with `gnomon serve`, or give its URL with --url"), "{message}");
    }

    #[test]
    fn only_this_machine_is_reached_without_a_proxy() {
        let is = |url| is_loopback(&Url::parse(url).unwrap());
        assert!(is("http://127.0.0.1:7070") && is("http://[::1]:7070") && is("http://localhost"));
        assert!(!is("http://10.0.0.1") && !is("https://gnomon.example"));
    }
}
