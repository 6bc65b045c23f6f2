//! Which blocks of a part of the log hold what is looked for.

use std::collections::BTreeMap;

use super::range::Range;
use crate::event_log::{
    blocks::{Blocks, Span},
    direction::Direction,
    event::Position,
};

/// The blocks of a range that may hold what is looked for. The others do not.
#[derive(Debug)]
pub(super) struct HeldBlocks {
    pub(super) range: Range,
    pub(super) spans: BTreeMap<Span, Blocks>,
}

/// The next part of a range that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// All that is passed over and read, with which the range begins.
    pub(super) range: Range,
    /// What is read of it, in the order of reading.
    pub(super) runs: Vec<Range>,
}

impl Part {
    /// A range of which all is read.
    pub(super) fn whole(range: Range) -> Self {
        Self { range, runs: vec![range] }
    }

    /// The positions that are read.
    pub(super) fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.len()).sum()
    }
}

impl HeldBlocks {
    /// Whether they are those of the beginning of a range that is not empty.
    pub(super) fn has_beginning_of(&self, left: Range, direction: Direction) -> bool {
        match direction {
            Direction::Forward => self.range.low <= left.low && left.low < self.range.high,
            Direction::Backward => self.range.low < left.high && left.high <= self.range.high,
        }
    }

    /// The beginning of a range, with `most` blocks to be read at most, or as far as they are known.
    pub(super) fn part(&self, left: Range, most: usize, direction: Direction) -> Part {
        let known = left.within(self.range);
        let (mut range, mut runs) = (known, Vec::<Range>::new());
        for (index, block) in self.blocks(known, direction).into_iter().enumerate() {
            if index == most {
                let last = *runs.last().unwrap_or(&known);
                range = known.before(known.without(last, direction), direction);
                break;
            }
            match (runs.last_mut(), direction) {
                (Some(run), Direction::Forward) if run.high == block.low => run.high = block.high,
                (Some(run), Direction::Backward) if run.low == block.high => run.low = block.low,
                _ => runs.push(block),
            }
        }
        let part = Part { range, runs };
        // To leave out so little is not worth its price.
        if part.len() * 8 > range.len() * 7 { Part::whole(range) } else { part }
    }

    /// Those that are in a range, in the order of reading, as far as they are.
    fn blocks(&self, range: Range, direction: Direction) -> Vec<Range> {
        let spans = Span::of(range.low)..=Span::of(range.high);
        let blocks = self.spans.range(spans).flat_map(|(span, blocks)| span.blocks(*blocks));
        let mut blocks: Vec<_> = blocks
            .map(|(first, last)| Range { low: Position(first.0.saturating_sub(1)), high: last }.within(range))
            .filter(|block| !block.is_empty())
            .collect();
        if direction == Direction::Backward {
            blocks.reverse();
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(low: u64, high: u64) -> Range {
        Range { low: Position(low), high: Position(high) }
    }

    fn held(range: Range, blocks: &[u64]) -> HeldBlocks {
        let mut spans = BTreeMap::new();
        for block in blocks {
            let position = Position(block * 256 + 7);
            let of_span: &mut Blocks = spans.entry(Span::of(position)).or_default();
            *of_span = of_span.or(Blocks::of(position));
        }
        HeldBlocks { range, spans }
    }

    #[test]
    fn runs_of_blocks_are_read_and_what_is_between_is_not() {
        let held = held(range(0, 40_000), &[0, 3, 4, 63, 64, 100]);
        let runs = [range(0, 255), range(767, 1279), range(16_127, 16_639), range(25_599, 25_855)];
        let (forward, backward) = (Direction::Forward, Direction::Backward);
        let part = |left, most, direction| held.part(left, most, direction);
        assert_eq!(part(range(0, 90_000), 9, forward), Part { range: range(0, 40_000), runs: runs.to_vec() });
        assert_eq!(part(range(0, 90_000), 3, forward), Part { range: range(0, 1279), runs: runs[..2].to_vec() });
        assert_eq!(part(range(200, 260), 3, forward), Part::whole(range(200, 260)), "nearly all of it");
        assert_eq!(part(range(1000, 16_200), 3, forward).runs, [range(1000, 1279), range(16_127, 16_200)]);
        assert_eq!(
            part(range(0, 30_000), 1, backward),
            Part { range: range(25_599, 30_000), runs: runs[3..].to_vec() }
        );
        assert_eq!(
            part(range(300, 20_000), 3, backward),
            Part { range: range(1023, 20_000), runs: vec![runs[2], range(1023, 1279)] }
        );
        assert_eq!(part(range(1300, 16_000), 3, backward), Part { range: range(1300, 16_000), runs: vec![] });
        assert!(held.has_beginning_of(range(0, 90_000), forward) && !held.has_beginning_of(range(0, 90_000), backward));
        assert!(!held.has_beginning_of(range(40_000, 90_000), forward));
        assert!(held.has_beginning_of(range(9, 40_000), backward) && !held.has_beginning_of(range(0, 0), backward));
    }

    proptest! {
        #[test]
        fn the_parts_of_a_range_read_all_blocks_that_hold_something_once(
            blocks in prop::collection::btree_set(0..400_u64, 0..60),
            low in 0..60_000_u64, length in 0..60_000_u64, most in 1..30_usize, is_backward in any::<bool>(),
        ) {
            let direction = if is_backward { Direction::Backward } else { Direction::Forward };
            let blocks: Vec<_> = blocks.into_iter().collect();
            let whole = range(low, low + length);
            let held = held(whole, &blocks);
            let (mut left, mut read) = (whole, Vec::new());
            while !left.is_empty() {
                prop_assert!(held.has_beginning_of(left, direction));
                let part = held.part(left, most, direction);
                let rest = left.without(part.range, direction);
                prop_assert!(rest.len() < left.len() && left.before(rest, direction) == part.range);
                for run in &part.runs {
                    prop_assert!(!run.is_empty() && run.within(part.range) == *run);
                }
                prop_assert!(part.len() <= most as u64 * 256 * 8 / 7 + 256);
                read.extend(part.runs);
                left = rest;
            }
            let is_sorted = match direction {
                Direction::Forward => read.is_sorted_by(|one, next| one.high <= next.low),
                Direction::Backward => read.is_sorted_by(|one, next| next.high <= one.low),
            };
            prop_assert!(is_sorted, "{:?}", read);
            for block in blocks {
                let block = range((block * 256).saturating_sub(1), block * 256 + 255).within(whole);
                let of_block: u64 = read.iter().map(|run| run.within(block).len()).sum();
                prop_assert!(block.is_empty() || of_block == block.len(), "{:?} of {:?}", block, read);
            }
        }
    }
}
