//! `gnomon completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, output};

/// Print a script that completes commands and options in a shell.
///
/// For bash: `source <(gnomon completions bash)`.
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gnomon", &mut script);
        output::data(String::from_utf8_lossy(&script).trim_end())?;
        Ok(())
    }
}
