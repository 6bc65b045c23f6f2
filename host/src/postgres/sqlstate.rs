//! Error codes of Postgres, SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

/// The role does not exist, or may not connect from here.
pub const INVALID_AUTHORIZATION: &str = "28000";
/// The password is wrong.
pub const INVALID_PASSWORD: &str = "28P01";
/// The database does not exist.
pub const INVALID_CATALOG_NAME: &str = "3D000";
/// The schema does not exist.
pub const INVALID_SCHEMA_NAME: &str = "3F000";
/// The table does not exist.
pub const UNDEFINED_TABLE: &str = "42P01";
/// The role may not do this.
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// A collation does not exist.
pub const UNDEFINED_OBJECT: &str = "42704";
/// A setting cannot have this value.
pub const INVALID_PARAMETER_VALUE: &str = "22023";
/// The definition of a table or a view is not possible: a view whose columns change.
pub const INVALID_TABLE_DEFINITION: &str = "42P16";
/// An object cannot be dropped, since others depend on it.
pub const DEPENDENT_OBJECTS_STILL_EXIST: &str = "2BP01";
/// The server, the role or the database has no connection left.
pub const TOO_MANY_CONNECTIONS: &str = "53300";
/// Another row has the same value already.
pub const UNIQUE_VIOLATION: &str = "23505";
/// Of two transactions that wait for each other, this one was ended.
pub const DEADLOCK_DETECTED: &str = "40P01";
/// A lock was not granted within the session's `lock_timeout`.
pub const LOCK_NOT_AVAILABLE: &str = "55P03";
/// A statement was ended: by the session's `statement_timeout`, or by somebody else.
pub const QUERY_CANCELED: &str = "57014";
/// A write on a server that is a replica, and not promoted yet.
pub const READ_ONLY_TRANSACTION: &str = "25006";

/// A transaction that has failed already: its cause was an error before, which may have been of any kind.
const IN_FAILED_TRANSACTION: &str = "25P02";
/// Postgres ended the session, since its client, a host that was paused, had left a transaction idle.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
/// Postgres ended the session, since a transaction took too long (`transaction_timeout`).
const TRANSACTION_TIMEOUT: &str = "25P04";
/// Postgres ends the session: at a shutdown, after a crash, while it starts, and since it was idle.
const SESSION_ENDED: [&str; 4] = ["57P01", "57P02", "57P03", "57P05"];

/// Classes, the first two characters of a code, of transient failures: connection, rollback for the sake of another
/// transaction, resources, intervention of an operator (shutdown, restart, cancelled).
const TRANSIENT_CLASSES: [&str; 4] = ["08", "40", "53", "57"];

/// The code of an error of the server; `None` for an error of the connection or of the client.
#[must_use]
pub fn sqlstate(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether the server answered with this code.
#[must_use]
pub fn has_sqlstate(error: &sqlx::Error, code: &str) -> bool {
    sqlstate(error).is_some_and(|found| found == code)
}

/// Whether a table or its schema does not exist (any more).
#[must_use]
pub fn is_missing_table(error: &sqlx::Error) -> bool {
    sqlstate(error).is_some_and(|code| matches!(code.as_str(), UNDEFINED_TABLE | INVALID_SCHEMA_NAME))
}

/// Whether a lock was not granted within the session's `lock_timeout`.
#[must_use]
pub fn is_lock_timeout(error: &sqlx::Error) -> bool {
    has_sqlstate(error, LOCK_NOT_AVAILABLE)
}

/// Whether the same work may succeed later without any change: the connection broke, the server restarts, has no connection
/// left, or preferred another transaction. After any other error, trying again does not help.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

fn is_transient_code(code: &str) -> bool {
    code.get(..2).is_some_and(|class| TRANSIENT_CLASSES.contains(&class))
        || matches!(
            code,
            LOCK_NOT_AVAILABLE
                | READ_ONLY_TRANSACTION
                | IN_FAILED_TRANSACTION
                | IDLE_IN_TRANSACTION_TIMEOUT
                | TRANSACTION_TIMEOUT
        )
}

/// Whether the connection is gone, and with it, most likely, all that were open.
#[must_use]
pub fn is_disconnect(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            code.starts_with("08")
                || SESSION_ENDED.contains(&code.as_ref())
                || matches!(code.as_ref(), IDLE_IN_TRANSACTION_TIMEOUT | TRANSACTION_TIMEOUT)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_passes_and_a_wrong_statement_does_not() {
        for code in
            ["57P01", "57P03", "57P05", "08006", "53300", "40001", "40P01", "25006", "25P02", "25P03", "25P04", "55P03"]
        {
            assert!(is_transient_code(code), "{code}");
        }
        for code in [UNDEFINED_TABLE, "23505", "22P02", "XX000", "4", ""] {
            assert!(!is_transient_code(code), "{code}");
        }
        assert!(is_transient(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
        assert!(!is_transient(&sqlx::Error::RowNotFound));
    }
}
