//! What takes long: a bar where somebody watches, and now and then a line where words go to a file.

use std::{
    cell::Cell,
    fmt::Display,
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::say;

/// ProgressOutput often a line is written where no bar can be drawn.
const SELDOM: Duration = Duration::from_secs(10);

/// The progress of one thing that takes long.
pub(super) struct Progress {
    output: ProgressOutput,
}

enum ProgressOutput {
    Bar(ProgressBar),
    Lines { said: Cell<Instant> },
}

impl Progress {
    /// Begins, with nothing done.
    pub(super) fn start() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { output: ProgressOutput::Lines { said: Cell::new(Instant::now()) } };
        }
        let bar = ProgressBar::no_length();
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { output: ProgressOutput::Bar(bar) }
    }

    /// Says output much is done, of output much if that is known.
    pub(super) fn show(&self, done: u64, all: Option<u64>, words: impl Display) {
        match &self.output {
            ProgressOutput::Bar(bar) => {
                if let (None, Some(_)) = (bar.length(), all) {
                    bar.set_style(style());
                }
                if let Some(all) = all {
                    bar.set_length(all);
                }
                bar.set_position(done);
                bar.set_message(words.to_string());
            }
            ProgressOutput::Lines { said } => {
                if said.get().elapsed() >= SELDOM {
                    said.set(Instant::now());
                    match all {
                        Some(all) if all > 0 => say(format_args!("{} % — {words}", done.min(all) * 100 / all)),
                        _ => say(words),
                    }
                }
            }
        }
    }

    /// Says something that stays, above the bar.
    pub(super) fn say(&self, words: impl Display) {
        match &self.output {
            ProgressOutput::Bar(bar) => bar.suspend(|| say(words)),
            ProgressOutput::Lines { .. } => say(words),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let ProgressOutput::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:30}] {percent:>3} %  {wide_msg}")
        .map(|style| style.progress_chars("=> "))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// ProgressOutput long what is left will take at a rate.
pub(super) fn time_left(left: u64, per_second: f64) -> Option<Duration> {
    (per_second > 0.0).then(|| left as f64 / per_second).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}
