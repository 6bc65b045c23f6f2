//! Finding the event that a module fails at.

use std::ops::Range;

use crate::runtime::{Delivery, ModuleFailure};

/// The search for the event that a module fails at.
pub(super) struct Search<'e> {
    events: &'e [Delivery],
    /// The event that a failure named and that is therefore run by itself.
    suspect: Option<usize>,
    /// Whether a suspect passed. Then failures name no good events, as those of a module that never tells where it is, and the
    /// search goes on by halves.
    misattributed: bool,
    /// Parts still to be run, the next one last.
    parts: Vec<Range<usize>>,
}

impl<'e> Search<'e> {
    /// Begins with a batch that failed.
    pub(super) fn new(events: &'e [Delivery], failure: &ModuleFailure) -> Self {
        let mut search = Self { events, suspect: None, misattributed: false, parts: Vec::new() };
        search.split(0..events.len(), failure);
        search
    }

    /// The part that is to be run next; none if every part has passed.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        self.parts.pop()
    }

    /// Splits a part that failed into two, unless it is one event.
    pub(super) fn split(&mut self, part: Range<usize>, failure: &ModuleFailure) {
        if self.is_one(&part) {
            return;
        }
        let named = part.clone().find(|&place| self.events[place].position == failure.position);
        let middle = match named {
            Some(named) if named > part.start => named,
            Some(suspect) if !self.misattributed => {
                self.suspect = Some(suspect);
                self.end_of_event(part.start)
            }
            _ => {
                // The events into which one was split stay together.
                let half = self.start_of_event(part.start + part.len() / 2);
                if half > part.start { half } else { self.end_of_event(part.start) }
            }
        };
        self.parts.push(middle..part.end);
        self.parts.push(part.start..middle);
    }

    /// Takes note of a part that passed.
    pub(super) fn clear(&mut self, part: &Range<usize>) {
        self.misattributed |= self.suspect == Some(part.start) && self.is_one(part);
    }

    /// Whether a part is one event of the log, be it split.
    pub(super) fn is_one(&self, part: &Range<usize>) -> bool {
        self.end_of_event(part.start) >= part.end
    }

    fn start_of_event(&self, place: usize) -> usize {
        let position = self.events[place].position;
        (0..place).rev().find(|&before| self.events[before].position != position).map_or(0, |before| before + 1)
    }

    fn end_of_event(&self, place: usize) -> usize {
        end_of_event(self.events, place)
    }
}

/// The place behind the last of the events into which the one at `place` was split.
pub(super) fn end_of_event(events: &[Delivery], place: usize) -> usize {
    let position = events[place].position;
    (place..events.len()).find(|&behind| events[behind].position != position).unwrap_or(events.len())
}

#[cfg(test)]
mod tests {
    use gnomon_values::Instant;

    use super::*;
    use crate::{
        event_log::{Position, SchemaVersion, StreamVersion},
        runtime::FailureKind,
    };

    fn events(positions: &[u64]) -> Vec<Delivery> {
        let event = |position: &u64| Delivery {
            position: Position(*position),
            part: 0,
            stream: "a-1".into(),
            version: StreamVersion(1),
            id: uuid::Uuid::nil(),
            event_type: "Happened".into(),
            schema_version: SchemaVersion::FIRST,
            data: "{}".into(),
            metadata: None,
            time: Instant(0),
            recorded_at: Instant(0),
        };
        positions.iter().map(event).collect()
    }

    fn failure(position: u64) -> ModuleFailure {
        ModuleFailure {
            position: Position(position),
            kind: FailureKind::Trapped,
            message: String::new(),
            backtrace: Vec::new(),
        }
    }

    /// Runs a search over a module that fails at one event and blames what `blame` says; answers the place that is found and
    /// how many events were run.
    fn search(positions: &[u64], faulty: u64, blame: impl Fn(&[Delivery]) -> u64) -> (usize, usize) {
        let events = events(positions);
        let mut search = Search::new(&events, &failure(blame(&events)));
        let mut run = events.len();
        while let Some(part) = search.next() {
            run += part.len();
            let slice = &events[part.clone()];
            if !slice.iter().any(|event| event.position.0 == faulty) {
                search.clear(&part);
            } else if search.is_one(&part) {
                return (part.start, run);
            } else {
                search.split(part, &failure(blame(slice)));
            }
        }
        panic!("the faulty event was not found");
    }

    #[test]
    fn a_module_that_says_where_it_is_is_found_out_at_once() {
        let positions: Vec<u64> = (1..=5000).collect();
        for faulty in [1, 2, 2500, 5000] {
            let (place, run) = search(&positions, faulty, |_| faulty);
            assert_eq!(place as u64 + 1, faulty);
            assert!(run <= 2 * 5000 + 1, "{run} events were run");
        }
    }

    #[test]
    fn a_module_that_does_not_is_found_out_by_halves() {
        let positions: Vec<u64> = (1..=5000).collect();
        for faulty in [1, 2, 2500, 4999, 5000] {
            let (place, run) = search(&positions, faulty, |events| events[0].position.0);
            assert_eq!(place as u64 + 1, faulty);
            assert!(run <= 8 * 5000, "{run} events were run");
        }
    }

    #[test]
    fn the_parts_of_a_split_event_stay_together() {
        let (place, _) = search(&[1, 2, 2, 2, 3], 2, |events| events[0].position.0);
        assert_eq!(place, 1);
        let (place, _) = search(&[7, 7, 7, 8], 8, |_| 8);
        assert_eq!(place, 3);
    }
}
