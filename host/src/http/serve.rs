//! Serving the API on a socket.

use tokio::net::TcpListener;

use super::{router::router, state::Api};

/// Serves the API until `closing` is cancelled, and then until the requests under way are answered.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, api: Api) -> std::io::Result<()> {
    let closing = api.closing.clone();
    axum::serve(listener, router(api)).with_graceful_shutdown(closing.cancelled_owned()).await
}
