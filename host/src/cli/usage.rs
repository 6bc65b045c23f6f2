//! The usage line of errors of the command line.

use clap::{
    Command,
    error::{ContextKind, ContextValue, Error},
};

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
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn an_option_that_has_a_value_is_not_shown_as_required() {
        for (arguments, usage) in [
            (&["retire", "bank", "--url", "http://h"][..], "Usage: gnomon retire [OPTIONS] <PROJECTION> <BUILD>"),
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
