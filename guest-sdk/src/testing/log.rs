//! What a projection logs while it is tested.

use std::{cell::RefCell, fmt};

use crate::{current_event, log::Level};

thread_local! {
    /// The lines of the run that goes on in this thread.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Takes a line.
#[allow(clippy::print_stderr, reason = "a test has nowhere else to show it")]
pub(crate) fn write(level: Level, message: fmt::Arguments<'_>) {
    LINES.with_borrow_mut(|lines| match lines {
        Some(lines) => lines.push(format!("event {}: {level:?}: {message}", current_event::get())),
        None => eprintln!("{level:?}: {message}"),
    });
}

/// Does something, and gives the lines that it logged.
pub(super) fn collect<R>(work: impl FnOnce() -> R) -> (R, Vec<String>) {
    LINES.set(Some(Vec::new()));
    let result = work();
    (result, LINES.take().unwrap_or_default())
}

/// Shows lines where the test that they belong to shows its output.
#[allow(clippy::print_stderr, reason = "a test has nowhere else to show it")]
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
    fn lines_name_the_event_at_hand() {
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
