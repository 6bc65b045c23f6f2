//! Asking whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// What somebody answers to a question, in one line; none where nobody can be asked.
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

/// Whether an answer is yes. Whoever says nothing says no.
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
