//! The output of modules in the host's log.

use std::sync::{Arc, Mutex};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::run::{note, writes};

/// Collects the lines that are logged on one thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line {
    message: String,
    position: u64,
    stream: String,
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "position" {
            self.position = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "stream" {
            self.stream = value.to_owned();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "gnomon::guest" && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        assert_eq!(line.stream, "test-1", "{}", line.message);
        let line = format!("{} at {}: {}", event.metadata().level(), line.position, line.message);
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The lines that a guest logs at three events, the last of them a trigger, and its note on the trigger.
fn output(name: &str) -> (Vec<String>, String) {
    let lines = Lines::default();
    let noted = tracing::subscriber::with_default(lines.clone(), || note(&writes(name, ""), 3).to_owned());
    let logged = std::mem::take(&mut *lines.0.lock().unwrap());
    (logged, noted)
}

#[test]
fn output_is_logged_at_its_event() {
    let (logged, noted) = output("print");
    assert_eq!(logged, ["INFO at 3: position 3 on stdout", "WARN at 3: position 3 on stderr", "INFO at 3: its log"]);
    assert_eq!(noted, "printed");
}

#[test]
fn too_much_output_is_cut_and_the_batch_succeeds() {
    let (logged, noted) = output("log_flood");
    assert_eq!(noted, "said it all");
    assert_eq!(logged.len(), 200);
    assert!(logged.iter().all(|line| line.len() < 5000));
    assert!(logged[0].starts_with("ERROR at 3: long long ") && logged[0].ends_with('…'), "{}", logged[0]);
    assert_eq!(logged[1], r"INFO at 3: two\nlines, and \u{1b}[31mred");
    assert_eq!(logged[2], "WARN at 3: one of many");
    assert_eq!(
        logged[199],
        "WARN at 3: the module wrote 200 lines in one batch; its further lines in this batch are dropped"
    );
}
