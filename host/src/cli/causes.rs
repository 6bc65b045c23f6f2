//! Errors with their causes, for people.

/// The message of an error and those of its causes. An error of this program writes its cause in its own message, some libraries
/// return it as `source()`, and sqlx does both: a cause that the text before it contains is left out.
pub(super) fn with_causes(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for part in error.chain().map(ToString::to_string) {
        if message.is_empty() {
            message = part;
        } else if !message.contains(&part) {
            message.push_str(": ");
            message.push_str(&part);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;

    use super::*;
    use crate::{postgres::ConnectError, server::StartError};

    const REFUSED: &str = "Connection refused (os error 111)";

    fn refused() -> sqlx::Error {
        sqlx::Error::Io(io::Error::other(REFUSED))
    }

    #[test]
    fn each_cause_is_printed_once() {
        let connect = ConnectError::Unreachable {
            address: "db:5432".to_owned(),
            error: refused(),
            waited: std::time::Duration::from_secs(30),
        };
        for error in [
            anyhow::Error::from(refused()),
            StartError::from(connect).into(),
            anyhow::Error::from(refused()).context("cannot migrate"),
        ] {
            let message = with_causes(&error);
            assert_eq!(message.matches(REFUSED).count(), 1, "{message}");
        }
    }

    #[test]
    fn a_cause_that_no_message_has_is_added() {
        let error = Err::<(), _>(io::Error::other("no space left")).context("cannot write the file").unwrap_err();
        assert_eq!(with_causes(&error), "cannot write the file: no space left");
    }
}
