//! `gnomon completions`

use clap::{Args, Command};
use clap_complete::Shell;

use super::output;

/// Print a script with which a shell completes commands and options.
///
/// In bash: `source <(gnomon completions bash)`.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script for these commands.
    pub(super) fn run(self, mut command_line: Command) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, "gnomon", &mut script);
        output::data(String::from_utf8_lossy(&script).trim_end())?;
        Ok(())
    }
}
