//! Ranges of positions.

use crate::event_log::{direction::Direction, event::Position};

/// The positions after `low`, up to and including `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: Position,
    pub(super) high: Position,
}

impl Range {
    pub(super) fn is_empty(self) -> bool {
        self.low >= self.high
    }

    pub(super) fn len(self) -> u64 {
        self.high.0.saturating_sub(self.low.0)
    }

    /// The positions that are read first: so many, or all if there are fewer.
    pub(super) fn first(self, count: u64, direction: Direction) -> Self {
        let Self { low, high } = self;
        match direction {
            Direction::Forward => Self { low, high: high.min(Position(low.0.saturating_add(count))) },
            Direction::Backward => Self { low: low.max(Position(high.0.saturating_sub(count))), high },
        }
    }

    /// What is in both.
    pub(super) fn within(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// What is read when `rest`, with which this ends, is left.
    pub(super) fn before(self, rest: Self, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { high: rest.low, ..self },
            Direction::Backward => Self { low: rest.high, ..self },
        }
    }

    /// What is left when all up to a position are read, and the position itself.
    pub(super) fn behind(self, position: Position, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { low: position, ..self },
            Direction::Backward => Self { high: Position(position.0.saturating_sub(1)), ..self },
        }
    }

    /// What is left when those of `first`, with which this begins, are read, or all up to its end.
    pub(super) fn without(self, first: Self, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { low: first.high, ..self },
            Direction::Backward => Self { high: first.low, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: u64, high: u64) -> Range {
        Range { low: Position(low), high: Position(high) }
    }

    #[test]
    fn a_range_is_read_from_either_end() {
        let (forward, backward) = (Direction::Forward, Direction::Backward);
        let whole = range(3, 10);
        assert_eq!((whole.first(2, forward), whole.first(2, backward)), (range(3, 5), range(8, 10)));
        assert_eq!((whole.first(u64::MAX, forward), whole.first(u64::MAX, backward)), (whole, whole));
        assert_eq!(
            (whole.behind(Position(5), forward), whole.behind(Position(5), backward)),
            (range(5, 10), range(3, 4))
        );
        assert_eq!(whole.without(range(3, 5), forward), range(5, 10));
        assert_eq!(whole.without(range(8, 10), backward), range(3, 8));
        assert_eq!(whole.before(range(5, 10), forward), range(3, 5));
        assert_eq!(whole.before(range(3, 8), backward), range(8, 10));
        assert_eq!((whole.within(range(0, 5)), whole.within(range(5, 99))), (range(3, 5), range(5, 10)));
        assert!(whole.within(range(12, 99)).is_empty());
        assert_eq!((whole.len(), range(4, 3).len()), (7, 0));
        assert!(range(3, 3).is_empty() && range(4, 3).is_empty() && !range(3, 4).is_empty());
    }
}
