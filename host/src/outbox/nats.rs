//! NATS: connections, and what CloudEvents are there.

use std::{collections::HashMap, time::Duration};

use async_nats::{Client, ConnectOptions, HeaderMap, connection::State};
use tokio::sync::Mutex;

use super::{
    cloud_event::{CloudEvent, DATA_MEDIA_TYPE, MEDIA_TYPE},
    outcome::Failure,
    secret::Secrets,
    sink::{ContentMode, SinkSettings},
    sink_name::SinkName,
};

/// How long a connection to a server may take to be opened.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of a host to NATS, one for each sink.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<HashMap<SinkName, (SinkSettings, Client)>>);

impl Connections {
    /// The connection of a sink; another one if its settings have changed, or if it is broken: then its secret is read again.
    pub(super) async fn of(
        &self,
        secrets: &Secrets,
        sink: &SinkName,
        settings: &SinkSettings,
    ) -> Result<Client, Failure> {
        if let Some((known, client)) = self.0.lock().await.get(sink)
            && known == settings
            && client.connection_state() == State::Connected
        {
            return Ok(client.clone());
        }
        // Without the lock, so that no sink waits for the server of another one.
        let client = connect(secrets, settings).await?;
        self.0.lock().await.insert(sink.clone(), (settings.clone(), client.clone()));
        Ok(client)
    }

    /// Closes the connection of a sink.
    pub(super) async fn forget(&self, sink: &SinkName) {
        self.0.lock().await.remove(sink);
    }
}

/// Opens a connection to the server of a sink.
pub(super) async fn connect(secrets: &Secrets, settings: &SinkSettings) -> Result<Client, Failure> {
    let mut options = ConnectOptions::new()
        .name(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
        .connection_timeout(CONNECT_TIMEOUT)
        .require_tls(settings.url.get().scheme() == "tls");
    if let Some(credentials) = &settings.credentials {
        let secret = secrets.read(credentials).await.map_err(Failure::of)?;
        options = with_credentials(options, secret.reveal())
            .map_err(|error| Failure::of(format_args!("the credentials of `{credentials}` {error}")))?;
    }
    let connected = options.connect(settings.url.to_string()).await;
    connected.map_err(|error| Failure::of(format_args!("the NATS server cannot be connected to: {error}")))
}

/// Credentials are a file of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "are a file with a JWT or an nkey, which hosts do not use; give a user and a password as `user:password`, or a token"
)]
struct CredentialsError;

/// How a server is told who connects: by a user and a password, or by a token.
fn with_credentials(options: ConnectOptions, credentials: &str) -> Result<ConnectOptions, CredentialsError> {
    // What `nsc` writes. A server would only say that the token is wrong.
    if credentials.starts_with("-----BEGIN ") {
        return Err(CredentialsError);
    }
    Ok(match credentials.split_once(':') {
        Some((user, password)) => options.user_and_password(user.to_owned(), password.to_owned()),
        None => options.token(credentials.to_owned()),
    })
}

/// The payload of a CloudEvent, and its headers.
pub(super) fn write(
    event: &CloudEvent<'_>,
    content_mode: ContentMode,
    data: &str,
    headers: &mut HeaderMap,
) -> Result<Vec<u8>, Failure> {
    match content_mode {
        ContentMode::Structured => {
            headers.insert("content-type", MEDIA_TYPE);
            event.structured().map_err(Failure::of)
        }
        ContentMode::Binary => {
            headers.insert("content-type", DATA_MEDIA_TYPE);
            for (name, value) in event.headers() {
                headers.insert(format!("ce-{name}"), value);
            }
            Ok(data.as_bytes().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_jwt_is_refused_and_not_shown() {
        let file = "-----BEGIN NATS USER JWT-----\neyJ0eXAi\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSUAM\n";
        let error = with_credentials(ConnectOptions::new(), file).map(drop).unwrap_err().to_string();
        assert!(error.contains("`user:password`") && !error.contains("eyJ0") && !error.contains("SUAM"), "{error}");
        for other in ["user:password", "token"] {
            assert!(with_credentials(ConnectOptions::new(), other).is_ok());
        }
    }
}
