//! Collects what a module logs in a test.

use std::{cell::RefCell, fmt};

use crate::{current_event, log::Level};

thread_local! {
    /// The lines of the current run in this thread.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Collects a line, or prints it if there is no run.
#[allow(clippy::print_stderr, reason = "tests show stderr if they fail")]
pub(crate) fn write(level: Level, message: fmt::Arguments<'_>) {
    LINES.with_borrow_mut(|lines| match lines {
        Some(lines) => lines.push(format!("event {}: {level:?}: {message}", current_event::get())),
        None => eprintln!("{level:?}: {message}"),
    });
}

/// Runs `work`, and returns its result and the lines that it logged.
pub(super) fn collect<R>(work: impl FnOnce() -> R) -> (R, Vec<String>) {
    LINES.set(Some(Vec::new()));
    let result = work();
    (result, LINES.take().unwrap_or_default())
}

/// Prints lines into the output of the test.
#[allow(clippy::print_stderr, reason = "tests show stderr if they fail")]
pub(super) fn show(lines: &[String]) {
    for line in lines {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log;

    #[test]
    fn lines_name_the_current_event() {
        let (result, lines) = collect(|| {
            current_event::set(7);
            log::warn!("{} of {}", 1, "two");
            log::trace!("plain");
            "done"
        });
        assert_eq!(
            (result, lines),
            ("done", vec!["event 7: Warn: 1 of two".to_owned(), "event 7: Trace: plain".to_owned()])
        );
    }
}
