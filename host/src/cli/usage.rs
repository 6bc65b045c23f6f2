//! Mistakes in arguments: the usage of the command that was meant, and words that are not those of Rust's parsers.

use std::{
    error::Error as _,
    num::{ParseFloatError, ParseIntError},
    process::ExitCode,
};

use clap::{
    Command,
    error::{ContextKind, ContextValue, Error},
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

/// Shows the usage of the command as its help does. clap's own line for an error has those options in it that have a value, also
/// from the environment, as if they were required: with `GNOMON_URL`, `--url <URL>`.
pub(super) fn with_whole_usage(
    mut error: Error,
    mut command: Command,
    arguments: impl Iterator<Item = String>,
) -> Error {
    if error.get(ContextKind::Usage).is_none() {
        return error;
    }
    command.build();
    let mut named = &command;
    for argument in arguments {
        named = named.find_subcommand(&argument).unwrap_or(named);
    }
    let usage = named.clone().render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    error
}

#[cfg(test)]
mod tests {
    use clap::{Arg, CommandFactory, Parser, value_parser};

    use super::*;
    use crate::cli::Cli;

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

    #[test]
    fn an_option_that_has_a_value_is_not_shown_as_required() {
        for (arguments, usage) in [
            (&["retire", "bank", "--url", "http://h"][..], "Usage: gnomon retire [OPTIONS] <PROJECTION> [BUILD]"),
            (
                &["--log", "info", "upcasters", "activate", "--version", "1"],
                "Usage: gnomon upcasters activate [OPTIONS] <UPCASTER>",
            ),
        ] {
            let arguments = || std::iter::once("gnomon").chain(arguments.iter().copied());
            let error = Cli::try_parse_from(arguments()).unwrap_err();
            let shown = with_whole_usage(error, Cli::command(), arguments().map(str::to_owned)).to_string();
            assert!(shown.contains(usage), "{shown}");
        }
    }
}
