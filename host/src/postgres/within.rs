//! A bound for each wait for Postgres.
//!
//! A connection that falls silent (a cut network, a firewall that forgot it, a frozen server) says nothing for as long as one listens.

use std::{fmt::Display, io, time::Duration};

/// How long statements may take that are answered within milliseconds when all is well. Waits for locks end before, see `lock_timeout` of
/// the session.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Waits for the result of `work`, but not for longer than `limit`. The error is transient, and names `what` was waited for: "the next
/// batch of build 3".
///
/// Dropped in the middle of its work, a connection may be inside a transaction, and its next answer may belong to the last question. One
/// that the caller owns has to be dropped; one of a pool of [`Database`](super::Database) is looked at when it comes back, and closed if it
/// still waits for an answer.
///
/// # Errors
/// Those of the work, and [`io::ErrorKind::TimedOut`] after the limit.
pub async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    what: impl Display,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(no_answer(limit, what).into()),
    }
}

/// The error of a wait that reached its limit.
pub(super) fn no_answer(limit: Duration, what: impl Display) -> sqlx::Error {
    let message = format!("Postgres did not answer within {} s: {what}", limit.as_secs_f64());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::is_transient;

    #[tokio::test]
    async fn a_wait_without_end_ends_with_its_name() {
        let never = std::future::pending::<Result<(), sqlx::Error>>();
        let error = within(Duration::from_millis(10), "the head of the log", never).await.unwrap_err();
        assert!(is_transient(&error));
        assert_eq!(
            error.to_string(),
            "error communicating with database: Postgres did not answer within 0.01 s: the head of the log"
        );
        assert!(within(Duration::from_secs(60), "nothing", async { Ok::<_, sqlx::Error>(7) }).await.is_ok());
    }
}
