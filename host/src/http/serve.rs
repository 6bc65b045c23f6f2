//! Serving the API on a socket.

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered. Before the gate is open, requests
/// are answered with what the host waits for.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, gate: Gate, closing: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, gate.router()).with_graceful_shutdown(closing.cancelled_owned()).await
}
