//! The reference of the command line, `docs/cli.md`, which is generated from clap's help texts.
//!
//! `GNOMON_BLESS=1 cargo test -p gnomon --lib cli::reference` writes it again.

use std::{fmt::Write, fs, path::Path};

use clap::{Arg, Command, CommandFactory};

use super::Cli;

const HEAD: &str = "\
# The command line

An option with a variable can also be set by that variable of the environment. Data goes to stdout, messages and progress go to stderr. A
command that fails says why and exits with 1; a command line that cannot be read exits with 2.

This page is generated from the help texts of `gnomon`, and a test checks that it is up to date.
";

fn render() -> String {
    let mut page = HEAD.to_owned();
    let mut command = Cli::command();
    command.build();
    page += "\n| command | |\n|---|---|\n";
    for command in commands(&command) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let name = whole_name(command);
        let _ = writeln!(page, "| [`{name}`](#{anchor}) | {about} |", anchor = name.replace(' ', "-"));
    }
    page += "\nAll commands take these options:\n";
    let (global, _): (Vec<&Arg>, Vec<&Arg>) = command.get_arguments().partition(|argument| argument.is_global_set());
    arguments(&mut page, global.into_iter());
    for command in commands(&command) {
        section(&mut page, command);
    }
    page
}

/// The commands, each followed by its subcommands.
fn commands(command: &Command) -> Vec<&Command> {
    let shown = command.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set());
    shown.flat_map(|command| std::iter::once(command).chain(commands(command))).collect()
}

/// The name with those of its parents: `gnomon upcasters activate`.
fn whole_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

fn section(page: &mut String, command: &Command) {
    let _ = writeln!(page, "\n## {}\n", whole_name(command));
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "{about}\n");
    let usage = command.clone().render_usage().to_string();
    let _ = writeln!(page, "```sh\n{}\n```", usage.trim_start_matches("Usage: ").trim());
    arguments(page, command.get_arguments().filter(|argument| !argument.is_global_set()));
}

fn arguments<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let arguments: Vec<&Arg> = arguments
        .filter(|argument| !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version"))
        .collect();
    if arguments.is_empty() {
        return;
    }
    *page += "\n| | | default | variable |\n|---|---|---|---|\n";
    for argument in arguments {
        let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
        let mut text = help.replace('\n', " ").replace('|', "\\|");
        let default = match text.split_once(" [default: ") {
            Some((before, default)) => {
                let default = default.trim_end_matches(']').to_owned();
                text = before.to_owned();
                default
            }
            None if argument.get_action().takes_values() => argument
                .get_default_values()
                .iter()
                .map(|value| format!("`{}`", value.to_string_lossy()))
                .collect::<Vec<_>>()
                .join(" "),
            None => String::new(),
        };
        let choices: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|_| argument.get_action().takes_values())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        if !choices.is_empty() {
            let _ = write!(text, ": {}", choices.join(", "));
        }
        let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
        let _ = writeln!(page, "| `{}` | {text} | {default} | {variable} |", name(argument));
    }
}

/// An option with its value, `--url <URL>`, or an argument, `<FILE>`.
fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>"));
    let value = if argument.get_action().takes_values() { values.collect::<Vec<_>>().join(" ") } else { String::new() };
    match argument.get_long() {
        Some(long) => format!("--{long} {value}").trim_end().to_owned(),
        None => value,
    }
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let page = render();
    if std::env::var_os("GNOMON_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/cli.md is old: run this test once with GNOMON_BLESS=1, and look at the difference");
}

#[test]
fn the_commands_are_valid_for_clap() {
    Cli::command().debug_assert();
}
