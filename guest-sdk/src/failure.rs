//! Why an event cannot be handled.

use std::{error::Error, fmt};

/// Why a module cannot handle an event, as a message for its operator.
///
/// Make it from a message with [`fail!`](crate::fail), or from any error with `?`:
///
/// ```
/// # use gnomon_sdk::prelude::*;
/// fn hours(text: &str) -> Result<u32, Failure> {
///     let hours: u32 = text.parse()?;
///     if hours > 24 {
///         fail!("a day has no {hours} hours");
///     }
///     Ok(hours)
/// }
/// assert_eq!(hours("25").unwrap_err().to_string(), "a day has no 25 hours");
/// assert_eq!(hours("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
///
/// The operator decides what happens then: the build halts at the event, or the event is set aside as a dead letter. In both cases
/// nothing that `handle` did for the event is kept. An event that has no meaning for the projection is not a failure: return
/// `Ok(())`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
}

impl Failure {
    /// A failure with this message. The event's type and position are added automatically.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn in_column(self, name: &str) -> Self {
        Self { message: format!("column `{name}`: {}", self.message) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// `Failure` does not implement `Error`: this conversion from every error would then overlap with `From<T> for T`.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_message = cause.to_string();
            // Some errors include the message of their cause.
            if !message.ends_with(&cause_message) {
                message.push_str(": ");
                message.push_str(&cause_message);
            }
            source = cause.source();
        }
        Self { message }
    }
}

/// Returns a [`Failure`](crate::Failure) from the function: `fail!("no account {account}")`.
#[macro_export]
macro_rules! fail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Failure::new(::std::format!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError, &'static str);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn cause() -> std::num::ParseIntError {
        "x".parse::<i64>().unwrap_err()
    }

    #[test]
    fn a_failure_includes_the_causes_of_an_error() {
        let failure = Failure::from(Outer(cause(), "no amount"));
        assert_eq!(failure.to_string(), "no amount: invalid digit found in string");
    }

    #[test]
    fn a_cause_that_the_error_includes_is_not_repeated() {
        let failure = Failure::from(Outer(cause(), "no amount: invalid digit found in string"));
        assert_eq!(failure.to_string(), "no amount: invalid digit found in string");
    }
}
