//! Statistics of the log: what the summary says, and the events behind it added to that.

use crate::event_log::{event::Position, streams::StreamSummary};

/// What is known of the log up to a position. All of it is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// The position up to which every event is counted.
    pub position: Position,
    /// The position of the newest event; the same, unless hosts have more to count than they can do while somebody asks.
    pub head: Position,
    /// All events, and how many streams there are.
    pub counts: Counts,
    /// The longest ones, longest first.
    pub longest_streams: Vec<StreamSummary>,
    /// Types of events.
    pub types: Ranking,
    /// Categories of streams; the name is empty for streams that have none.
    pub categories: Ranking,
    /// The newest days on which events were appended, oldest first.
    pub days: Vec<DayCounts>,
}

/// Events and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many.
    pub events: u64,
    /// The bytes of their data and metadata, as their writers wrote them.
    pub bytes: u64,
    /// How many streams began with one of them.
    pub streams: u64,
}

/// The names with the most events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// How many names there are.
    pub count: u64,
    /// Those with the most events, most first; of equal ones in the order of bytes.
    pub most: Vec<Ranked>,
}

/// A name, and its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The name.
    pub name: String,
    /// Its events.
    pub counts: Counts,
}

/// A day, and the events that were appended on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCounts {
    /// The day in UTC, as ISO 8601 writes it.
    pub day: String,
    /// Its events.
    pub counts: Counts,
}

/// What is behind the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) types: Vec<TailName>,
    pub(super) categories: Vec<TailName>,
    pub(super) days: Vec<DayCounts>,
    /// With the versions that they have now.
    pub(super) streams: Vec<StreamSummary>,
}

/// A name that events behind the summary have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TailName {
    pub(super) name: String,
    pub(super) counts: Counts,
    /// What the summary says of it; `None` if it is new.
    pub(super) before: Option<Counts>,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.streams += other.streams;
    }

    fn and(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    fn without(self, other: Self) -> Self {
        Self {
            events: self.events.saturating_sub(other.events),
            bytes: self.bytes.saturating_sub(other.bytes),
            streams: self.streams.saturating_sub(other.streams),
        }
    }
}

impl Ranking {
    /// The events of all other names, if those of all are `all`.
    #[must_use]
    pub fn rest(&self, all: Counts) -> Counts {
        self.most.iter().fold(all, |rest, ranked| rest.without(ranked.counts))
    }

    /// A name that is not among the first and not in the tail is not among the first afterwards either: theirs only become more.
    fn add(&mut self, tail: Vec<TailName>, limit: usize) {
        for TailName { name, counts, before } in tail {
            self.count += u64::from(before.is_none());
            match self.most.iter_mut().find(|ranked| ranked.name == name) {
                Some(ranked) => ranked.counts.add(counts),
                None => self.most.push(Ranked { name, counts: before.unwrap_or_default().and(counts) }),
            }
        }
        self.most
            .sort_by(|one, other| other.counts.events.cmp(&one.counts.events).then_with(|| one.name.cmp(&other.name)));
        self.most.truncate(limit);
    }
}

impl Statistics {
    /// Adds the events behind the summary, up to a position. What is listed has at most `limit` names or streams, and `days` days.
    pub(super) fn add(&mut self, tail: Tail, to: Position, limit: usize, days: usize) {
        self.position = to;
        for of_type in &tail.types {
            self.counts.add(of_type.counts);
        }
        self.types.add(tail.types, limit);
        self.categories.add(tail.categories, limit);
        for DayCounts { day, counts } in tail.days {
            match self.days.iter_mut().find(|known| known.day == day) {
                Some(known) => known.counts.add(counts),
                None => self.days.push(DayCounts { day, counts }),
            }
        }
        self.days.drain(..self.days.len().saturating_sub(days));
        for stream in tail.streams {
            match self.longest_streams.iter_mut().find(|known| known.stream == stream.stream) {
                Some(known) => *known = stream,
                None => self.longest_streams.push(stream),
            }
        }
        self.longest_streams
            .sort_by(|one, other| other.version.cmp(&one.version).then_with(|| one.stream.cmp(&other.stream)));
        self.longest_streams.truncate(limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(events: u64) -> Counts {
        Counts { events, bytes: events * 10, streams: 0 }
    }

    fn ranking(names: &[(&str, u64)]) -> Vec<Ranked> {
        names.iter().map(|(name, events)| Ranked { name: (*name).to_owned(), counts: counts(*events) }).collect()
    }

    #[test]
    fn a_name_of_the_tail_moves_up_with_all_its_events() {
        let mut found = Ranking { count: 3, most: ranking(&[("A", 10), ("B", 8)]) };
        let tail = |name: &str, events, before: Option<u64>| TailName {
            name: name.to_owned(),
            counts: counts(events),
            before: before.map(counts),
        };
        found.add(vec![tail("C", 3, Some(7)), tail("D", 1, None), tail("B", 1, Some(8))], 2);
        assert_eq!(found, Ranking { count: 4, most: ranking(&[("A", 10), ("C", 10)]) });
        assert_eq!(found.rest(counts(30)), counts(10));
        found.add(vec![tail("B", 2, Some(9))], 2);
        assert_eq!(found.most, ranking(&[("B", 11), ("A", 10)]));
    }
}
