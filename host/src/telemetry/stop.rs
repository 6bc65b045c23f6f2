//! Sends what waits before the process ends.

use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;

use super::{logs, signal::Signal, traces};

/// Sends the spans and the log records that wait, within a time. What comes later is lost.
pub async fn stop_sending(within: Duration) {
    let logs = async {
        if let Some(provider) = logs::PROVIDER.get().cloned() {
            stop(Signal::Logs, within, move || provider.shutdown_with_timeout(within)).await;
        }
    };
    let traces = async {
        if let Some(provider) = traces::PROVIDER.get().cloned() {
            stop(Signal::Traces, within, move || provider.shutdown_with_timeout(within)).await;
        }
    };
    tokio::join!(logs, traces);
}

async fn stop(signal: Signal, within: Duration, shut_down: impl FnOnce() -> OTelSdkResult + Send + 'static) {
    // It blocks, and the runtime sends meanwhile.
    let stopping = tokio::task::spawn_blocking(shut_down);
    match tokio::time::timeout(within, stopping).await {
        // It was stopped before.
        Ok(Ok(Ok(()) | Err(opentelemetry_sdk::error::OTelSdkError::AlreadyShutdown))) => {}
        _ => tracing::warn!("the last {} were not sent within {} s", signal.items(), within.as_secs_f64()),
    }
}
