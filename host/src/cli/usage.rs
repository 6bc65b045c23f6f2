//! Mistakes in arguments, in words that are not those of Rust's parsers.

use std::{
    error::Error as _,
    num::{ParseFloatError, ParseIntError},
    process::ExitCode,
};

/// Prints the help that was asked for, or what is wrong with the arguments; returns the exit code.
pub(super) fn exit(error: &clap::Error) -> ExitCode {
    match parsers_words(error) {
        Some((theirs, ours)) => {
            let text = error.render();
            let text = if is_plain() { text.to_string() } else { text.ansi().to_string() };
            super::output::say(text.replace(&theirs, ours).trim_end());
        }
        None => {
            // Ignores a closed terminal.
            let _ = error.print();
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether stderr takes no colours.
fn is_plain() -> bool {
    use std::io::IsTerminal as _;
    !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The message of Rust's parser of numbers in an error, and what is said in its stead.
fn parsers_words(error: &clap::Error) -> Option<(String, &'static str)> {
    let cause = error.source()?;
    if let Some(cause) = cause.downcast_ref::<ParseIntError>() {
        use std::num::IntErrorKind;
        let ours = match cause.kind() {
            IntErrorKind::Empty => "it is empty; a whole number is expected",
            IntErrorKind::PosOverflow => "the number is too large",
            IntErrorKind::NegOverflow => "the number is too small",
            _ => "it is not a whole number, 0 or more",
        };
        return Some((cause.to_string(), ours));
    }
    let cause = cause.downcast_ref::<ParseFloatError>()?;
    Some((cause.to_string(), "it is not a number"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn numbers_are_refused_in_plain_words() {
        let reason = |arguments: &[&str]| {
            let error = super::super::Cli::try_parse_from([&["gnomon"], arguments].concat()).unwrap_err();
            parsers_words(&error).map(|(theirs, ours)| error.to_string().replace(&theirs, ours))
        };
        let limit = reason(&["events", "--limit", "many"]).unwrap();
        assert!(limit.contains("'many' for '--limit <NUMBER>': it is not a whole number, 0 or more\n"), "{limit}");
        let version = reason(&["append", "a-1", "--type", "T", "--schema-version", "99999999999"]).unwrap();
        assert!(version.contains("the number is too large") || version.contains("is not in"), "{version}");
        assert_eq!(reason(&["events", "--direction", "up"]), None);
    }
}
