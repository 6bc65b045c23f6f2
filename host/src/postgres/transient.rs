//! Which failures of Postgres pass by themselves.

/// Whether the same work may succeed later without anyone changing it: the connection broke, the server restarts, is out
/// of connections, or gave way to another transaction. Everything else is an answer, and repeating the question is no use.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// Whether a lock was not to be had within the session's `lock_timeout`.
#[must_use]
pub fn is_lock_timeout(error: &sqlx::Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

/// By SQLSTATE, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_transient_code(code: &str) -> bool {
    // 08 connection, 53 resources, 57 operator intervention (shutdown, restart, cancelled);
    // 40 rolled back for another transaction's sake, 55P03 lock not available, 25006 a replica not promoted yet.
    matches!(code.get(..2), Some("08" | "53" | "57" | "40")) || matches!(code, "55P03" | "25006")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_passes_and_a_wrong_statement_does_not() {
        for code in ["57P01", "57P03", "08006", "53300", "40001", "40P01", "25006", "55P03"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["42P01", "23505", "22P02", "XX000", ""] {
            assert!(!is_transient_code(code), "{code}");
        }
        assert!(is_transient(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_transient(&sqlx::Error::RowNotFound));
    }
}
