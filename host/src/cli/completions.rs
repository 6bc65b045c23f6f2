//! `gnomon completions`

use std::io;

use clap::{Args, Command};
use clap_complete::{
    Shell,
    env::{CompleteEnv, Shells},
};

use super::output;

/// The variable with which the scripts ask this program for candidates.
const VARIABLE: &str = "GNOMON_COMPLETE";

/// Print a script with which a shell completes commands, options, and the names of what a host has.
///
/// In bash and zsh: `source <(gnomon completions bash)`; in fish: `gnomon completions fish | source`. The script asks `gnomon` at each
/// completion, and that asks the host for the names of projections, tables, modules and upcasters. If the host does not answer at once,
/// there are no names.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Answers a shell that asks for candidates, and ends the process; does nothing otherwise.
pub(super) fn answer_shell(command_line: fn() -> Command) {
    CompleteEnv::with_factory(command_line).var(VARIABLE).complete();
}

impl Completions {
    /// Prints the script for these commands.
    pub(super) fn run(self, command_line: &Command) -> anyhow::Result<()> {
        let name = command_line.get_name();
        let shells = Shells::builtins();
        let shell = self.shell.to_string();
        let completer =
            shells.completer(&shell).ok_or_else(|| io::Error::other(format!("no completions for {shell}")))?;
        let mut script = Vec::new();
        completer.write_registration(VARIABLE, name, name, name, &mut script)?;
        output::data(String::from_utf8_lossy(&script).trim())?;
        Ok(())
    }
}
