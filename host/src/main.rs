//! The program `gnomon`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gnomon::cli::run()
}
