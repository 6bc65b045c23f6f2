//! Serving the API on a socket.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{gate::Gate, stalled::Impatient};

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered. Before the gate is open, requests
/// are answered with what the host waits for. The connection of a client that reads nothing of its answer for `send_timeout` is closed.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    gate: Gate,
    closing: CancellationToken,
    send_timeout: Duration,
) -> std::io::Result<()> {
    axum::serve(Impatient::new(listener, send_timeout), gate.router())
        .with_graceful_shutdown(closing.cancelled_owned())
        .await
}
