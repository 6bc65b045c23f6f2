use std::time::Duration;

/// Waits until a condition holds.
///
/// # Panics
/// If it does not hold in time, with its name.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(240), wait).await.is_ok(), "timeout: {what}");
}
