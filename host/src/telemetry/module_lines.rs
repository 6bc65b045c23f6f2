//! What modules log, as events of the spans in which they fold.

use std::fmt;

use opentelemetry::{
    Context, KeyValue,
    trace::{Status, TraceContextExt as _},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{self, Layer};

/// The target of the lines of modules.
pub(super) const MODULES: &str = "gnomon::guest";

/// Adds each line that it is given to the current span, if that is recorded.
#[derive(Debug)]
pub(super) struct ModuleLines;

impl<S: Subscriber> Layer<S> for ModuleLines {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        Context::map_current(|current| {
            let span = current.span();
            if !span.span_context().is_sampled() {
                return;
            }
            let level = *event.metadata().level();
            let level_and_target = [("level", level.as_str()), ("target", event.metadata().target())];
            let attributes = level_and_target.map(|(name, value)| KeyValue::new(name, value)).to_vec();
            let mut line = Line { message: String::new(), attributes };
            event.record(&mut line);
            span.add_event(line.message, line.attributes);
            if level == Level::ERROR {
                span.set_status(Status::error(""));
            }
        });
    }
}

struct Line {
    message: String,
    attributes: Vec<KeyValue>,
}

impl Visit for Line {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.push(KeyValue::new(field.name(), value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.record_str(field, &value.to_string()),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.attributes.push(KeyValue::new(field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.record_str(field, &format!("{value:?}")),
        }
    }
}
