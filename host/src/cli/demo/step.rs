//! The steps of the demo, as they are shown.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use crate::cli::{figures, output::say, progress::Progress};

/// Characters before the duration of a step.
const WIDTH: usize = 64;

/// The steps so far.
#[derive(Default)]
pub(super) struct Steps {
    begun: u32,
    ended: bool,
}

/// The current step.
pub(super) struct Step {
    number: u32,
    begun: Instant,
    /// Its progress.
    pub(super) progress: Progress,
}

/// Prints the title of the demo.
pub(super) fn title(title: &str) {
    say(format_args!("{title}\n"));
}

impl Steps {
    /// Begins the next step.
    pub(super) fn begin(&mut self, what: &str) -> Step {
        self.begun += 1;
        let progress = Progress::start();
        progress.show(0, None, what);
        Step { number: self.begun, begun: Instant::now(), progress }
    }

    /// Marks the last step as done.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether all steps are done.
    pub(super) fn all_done(&self) -> bool {
        self.ended
    }
}

impl Step {
    /// Prints what was done, how long it took, and further lines about it.
    pub(super) fn done(self, what: impl Display, more: &[String]) {
        let Self { number, begun, progress } = self;
        drop(progress);
        say(line(number, &what.to_string(), begun.elapsed()));
        for more in more {
            say(format_args!("    {more}"));
        }
    }
}

fn line(number: u32, what: &str, time: Duration) -> String {
    format!("{number:>2}  {what:<WIDTH$} {:>8}", figures::time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_aligned() {
        let short = line(1, "a host", Duration::from_millis(1240));
        let long = line(12, "18,262 events imported", Duration::from_secs(61));
        assert!(short.starts_with(" 1  a host ") && short.ends_with(" 1.2 s"), "{short}");
        assert!(long.starts_with("12  18,262 events imported ") && long.ends_with(" 1 min 1 s"), "{long}");
    }
}
