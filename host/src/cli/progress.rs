//! The progress of what takes long: a bar at a terminal, and otherwise a line now and then.

use std::{
    cell::Cell,
    fmt::Display,
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::say;

/// How often a line is written if stderr is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The progress of one task.
pub(super) struct Progress {
    output: ProgressOutput,
}

enum ProgressOutput {
    Bar(ProgressBar),
    /// When the last line was written.
    Lines {
        written: Cell<Instant>,
    },
}

impl Progress {
    /// Begins, with nothing done.
    pub(super) fn start() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::of_lines();
        }
        Self::of_bar(ProgressBar::no_length())
    }

    /// Begins several tasks at the same time, each with a bar of its own.
    pub(super) fn start_several(tasks: usize) -> Vec<Self> {
        if !std::io::stderr().is_terminal() {
            return (0..tasks).map(|_| Self::of_lines()).collect();
        }
        let bars = MultiProgress::new();
        (0..tasks).map(|_| Self::of_bar(bars.add(ProgressBar::no_length()))).collect()
    }

    fn of_lines() -> Self {
        Self { output: ProgressOutput::Lines { written: Cell::new(Instant::now()) } }
    }

    fn of_bar(bar: ProgressBar) -> Self {
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { output: ProgressOutput::Bar(bar) }
    }

    /// Shows how much is done, of `all` if that is known.
    pub(super) fn show(&self, done: u64, all: Option<u64>, message: impl Display) {
        match &self.output {
            ProgressOutput::Bar(bar) => {
                if let (None, Some(_)) = (bar.length(), all) {
                    bar.set_style(style());
                }
                if let Some(all) = all {
                    bar.set_length(all);
                }
                bar.set_position(done);
                bar.set_message(message.to_string());
            }
            ProgressOutput::Lines { written } => {
                if written.get().elapsed() >= LINE_INTERVAL {
                    written.set(Instant::now());
                    match all {
                        Some(all) if all > 0 => say(format_args!("{} % — {message}", done.min(all) * 100 / all)),
                        _ => say(message),
                    }
                }
            }
        }
    }

    /// Prints a message above the bar.
    pub(super) fn say(&self, message: impl Display) {
        match &self.output {
            ProgressOutput::Bar(bar) => bar.suspend(|| say(message)),
            ProgressOutput::Lines { .. } => say(message),
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

/// How long the rest takes at a rate; `None` if the rate is 0.
pub(super) fn time_left(left: u64, per_second: f64) -> Option<Duration> {
    (per_second > 0.0).then(|| left as f64 / per_second).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}
