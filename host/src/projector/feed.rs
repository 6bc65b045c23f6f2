//! Reading the log ahead of the module.

use tokio::sync::mpsc;

use crate::{
    event_log::{EventLog, Filter, Position},
    runtime::{Delivery, ProjectionDescriptor},
};

/// A part of the log: the events in it that a projection wants.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) events: Vec<Delivery>,
    /// The part ends here, whether or not an event of it is wanted.
    pub(super) to: Position,
    /// Whether the log ended here when it was read.
    pub(super) at_head: bool,
}

/// Portions that are read ahead.
const AHEAD: usize = 2;
/// Events of the first portion: nobody knows yet how large they are.
pub(super) const FIRST: usize = 256;

/// How much of the log a module gets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortionSize {
    /// Events, at most.
    pub max_events: usize,
    /// Bytes of events, about.
    pub max_bytes: usize,
}

impl Default for PortionSize {
    fn default() -> Self {
        Self { max_events: 8192, max_bytes: 4 * 1024 * 1024 }
    }
}

/// Reads the log behind `after` for as long as somebody takes the portions, and not beyond `until`. The first portions have
/// `first` events, twice as many, and so on up to what `size` allows. Ends with the first error.
pub(super) fn start(
    log: EventLog,
    after: Position,
    until: Option<Position>,
    filter: Filter,
    size: PortionSize,
    first: usize,
) -> mpsc::Receiver<Result<Portion, sqlx::Error>> {
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut after = after;
        let mut limit = first.clamp(1, size.max_events.max(1));
        let mut head = log.head();
        // The first portion goes out even if it is empty: it tells that the log has ended.
        let mut at_start = true;
        loop {
            if !at_start {
                tokio::select! {
                    () = send.closed() => return,
                    moved = head.wait_for(|head| *head > after) => if moved.is_err() { return },
                }
            }
            let portion = read(&log, after, limit, &filter).await.map(|portion| portion.clip(until));
            let failed = portion.is_err();
            if let Ok(portion) = &portion {
                if portion.to == after && !at_start {
                    continue;
                }
                after = portion.to;
                limit = size.next_limit(limit, portion);
            }
            at_start = false;
            if send.send(portion).await.is_err() || failed {
                return;
            }
            if until.is_some_and(|until| after >= until) {
                return send.closed().await;
            }
        }
    });
    receive
}

async fn read(log: &EventLog, after: Position, limit: usize, filter: &Filter) -> Result<Portion, sqlx::Error> {
    let page = log.read_portion(after, limit, filter).await?;
    let to = page.next.unwrap_or(after);
    Ok(Portion { events: page.events.into_iter().map(Delivery::from).collect(), to, at_head: to >= page.head })
}

impl Portion {
    /// Without what stands behind a position.
    fn clip(mut self, until: Option<Position>) -> Self {
        if let Some(until) = until.filter(|until| *until < self.to) {
            self.events.retain(|event| event.position <= until);
            (self.to, self.at_head) = (until, false);
        }
        self
    }
}

impl PortionSize {
    /// As many events as keep a portion of such events within its bytes; never more than twice as many as before.
    fn next_limit(self, limit: usize, last: &Portion) -> usize {
        // Where nothing was found, nothing is learned of how large events are.
        if last.events.is_empty() {
            return limit;
        }
        let bytes: usize = last.events.iter().map(bytes_of).sum();
        let average = bytes / last.events.len();
        let fitting = self.max_bytes / average.max(1);
        fitting.clamp(1, self.max_events.min(limit * 2))
    }
}

fn bytes_of(event: &Delivery) -> usize {
    size_of::<Delivery>()
        + event.data.len()
        + event.stream.len()
        + event.event_type.len()
        + event.metadata.as_ref().map_or(0, String::len)
}

/// The events that a projection wants.
pub(super) fn filter(descriptor: &ProjectionDescriptor) -> Filter {
    let types = descriptor.event_types.iter().map(|wanted| wanted.event_type.clone());
    Filter {
        types: if descriptor.all_types { Vec::new() } else { types.collect() },
        categories: descriptor.categories.clone(),
    }
}
