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
    use clap::{Arg, Command, value_parser};

    use super::*;

    #[test]
    fn numbers_are_refused_in_plain_words() {
        let command = Command::new("gnomon")
            .arg(Arg::new("limit").long("limit").value_parser(value_parser!(u64).range(1..)))
            .arg(Arg::new("share").long("share").value_parser(value_parser!(f64)))
            .arg(Arg::new("order").long("order").value_parser(["up", "down"]));
        let reason = |option: &str, value: &str| {
            let error = command.clone().try_get_matches_from(["gnomon", option, value]).unwrap_err();
            parsers_words(&error).map(|(theirs, ours)| error.to_string().replace(&theirs, ours))
        };
        for (option, value, ours) in [
            ("--limit", "many", "it is not a whole number, 0 or more"),
            ("--limit", "99999999999999999999", "the number is too large"),
            ("--share", "x", "it is not a number"),
        ] {
            let shown = reason(option, value).unwrap();
            assert!(shown.contains(&format!(": {ours}\n")), "{shown}");
        }
        assert_eq!(reason("--limit", "0"), None, "clap says it well");
        assert_eq!(reason("--order", "x"), None);
    }
}
