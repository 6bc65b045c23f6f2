//! Questions at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// The user's answer to a question, one line; `None` if stdin or stderr is not a terminal.
///
/// # Errors
/// The terminal cannot be read.
pub(super) fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(None);
    }
    write!(io::stderr().lock(), "{question} ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(answer.trim().to_owned()))
}

/// Whether an answer is yes. An empty answer is no.
pub(super) fn is_yes(answer: &str) -> bool {
    answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y", "Y", "yes", "Yes"].into_iter().all(is_yes));
        assert!(!["", "n", "no", "yess", "ja"].into_iter().any(is_yes));
    }
}
