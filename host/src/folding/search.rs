//! Finding the event that a module fails at.

use std::ops::Range;

use crate::runtime::{Delivery, ModuleFailure};

/// The search for the event that a module fails at.
pub(crate) struct Search<'e> {
    events: &'e [&'e Delivery],
    /// The index of the event that a failure named, which is run alone.
    suspect: Option<usize>,
    /// Whether a suspect passed. The module then names the wrong events, for example always the first of a batch, and the search
    /// goes on by halves.
    misattributed: bool,
    /// Ranges of the batch that are still to be run, the next one last.
    ranges: Vec<Range<usize>>,
}

impl<'e> Search<'e> {
    /// Begins with a batch that failed.
    pub(crate) fn new(events: &'e [&'e Delivery], failure: &ModuleFailure) -> Self {
        let mut search = Self { events, suspect: None, misattributed: false, ranges: Vec::new() };
        search.split(0..events.len(), failure);
        search
    }

    /// The range that is to be run next, or `None` if all ranges have passed.
    pub(crate) fn next(&mut self) -> Option<Range<usize>> {
        self.ranges.pop()
    }

    /// Splits a range that failed into two, unless it is one event.
    pub(crate) fn split(&mut self, range: Range<usize>, failure: &ModuleFailure) {
        if self.is_one_event(&range) {
            return;
        }
        let named = range.clone().find(|&index| self.events[index].position == failure.position);
        let middle = match named {
            Some(named) if named > range.start => named,
            Some(suspect) if !self.misattributed => {
                self.suspect = Some(suspect);
                self.end_of_event(range.start)
            }
            _ => {
                // The events that upcasters made of one event stay together.
                let half = self.start_of_event(range.start + range.len() / 2);
                if half > range.start { half } else { self.end_of_event(range.start) }
            }
        };
        self.ranges.push(middle..range.end);
        self.ranges.push(range.start..middle);
    }

    /// Notes that a range passed.
    pub(crate) fn clear(&mut self, range: &Range<usize>) {
        self.misattributed |= self.suspect == Some(range.start) && self.is_one_event(range);
    }

    /// Whether a range is one event of the log, or all that upcasters made of one.
    pub(crate) fn is_one_event(&self, range: &Range<usize>) -> bool {
        self.end_of_event(range.start) >= range.end
    }

    fn start_of_event(&self, index: usize) -> usize {
        let position = self.events[index].position;
        (0..index).rev().find(|&before| self.events[before].position != position).map_or(0, |before| before + 1)
    }

    fn end_of_event(&self, index: usize) -> usize {
        end_of_event(self.events, index)
    }
}

/// The index behind the last of the events with the position of the one at `index`: upcasters may have made several of one.
pub(crate) fn end_of_event(events: &[&Delivery], index: usize) -> usize {
    let position = events[index].position;
    (index..events.len()).find(|&behind| events[behind].position != position).unwrap_or(events.len())
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
            tags: Vec::new(),
        };
        positions.iter().map(event).collect()
    }

    fn failure(position: u64) -> ModuleFailure {
        let (kind, message) = (FailureKind::Trapped, String::new());
        ModuleFailure { position: Position(position), upcaster: None, kind, message, backtrace: Vec::new() }
    }

    /// Searches with a module that fails at one event and names the position that `named` returns. Returns the index of the event
    /// that is found, and how many events were run.
    fn search(positions: &[u64], faulty: u64, named: impl Fn(&[&Delivery]) -> u64) -> (usize, usize) {
        let events = events(positions);
        let events: Vec<&Delivery> = events.iter().collect();
        let mut search = Search::new(&events, &failure(named(&events)));
        let mut run = events.len();
        while let Some(range) = search.next() {
            run += range.len();
            let slice = &events[range.clone()];
            if !slice.iter().any(|event| event.position.0 == faulty) {
                search.clear(&range);
            } else if search.is_one_event(&range) {
                return (range.start, run);
            } else {
                search.split(range, &failure(named(slice)));
            }
        }
        panic!("the faulty event was not found");
    }

    #[test]
    fn a_failure_that_names_the_faulty_event_leads_to_it_at_once() {
        let positions: Vec<u64> = (1..=5000).collect();
        for faulty in [1, 2, 2500, 5000] {
            let (index, run) = search(&positions, faulty, |_| faulty);
            assert_eq!(index as u64 + 1, faulty);
            assert!(run <= 2 * 5000 + 1, "{run} events were run");
        }
    }

    #[test]
    fn a_failure_that_names_the_first_event_leads_to_a_search_by_halves() {
        let positions: Vec<u64> = (1..=5000).collect();
        for faulty in [1, 2, 2500, 4999, 5000] {
            let (index, run) = search(&positions, faulty, |events| events[0].position.0);
            assert_eq!(index as u64 + 1, faulty);
            assert!(run <= 8 * 5000, "{run} events were run");
        }
    }

    #[test]
    fn the_events_that_were_made_of_one_stay_together() {
        let (index, _) = search(&[1, 2, 2, 2, 3], 2, |events| events[0].position.0);
        assert_eq!(index, 1);
        let (index, _) = search(&[7, 7, 7, 8], 8, |_| 8);
        assert_eq!(index, 3);
    }
}
