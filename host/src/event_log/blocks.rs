//! Blocks of positions, of which Postgres knows the types and categories of their events: `gnomon.event_blocks`.
//!
//! A reader that wants few of them passes over the other blocks. What is noted of a block may be too much, and never too little.

use super::event::Position;
use crate::postgres::sql_number;

/// Positions of a block.
pub(super) const BLOCK: u64 = 256;
/// Blocks of a span: as many as a bigint has bits.
const SPAN: u64 = 64;

/// The name that stands for any: a span has more names than are noted. No type and no category is called so; that streams have no category is not
/// noted.
pub(super) const ANY_NAME: &str = "";

/// What is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NameKind {
    /// The type of an event.
    Type,
    /// The category of its stream.
    Category,
}

impl NameKind {
    /// As it is in the table.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Category => "category",
        }
    }
}

/// The number of a span, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span(u64);

sql_number!(Span(u64) as i64);

impl From<u64> for Span {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Span> for u64 {
    fn from(Span(number): Span) -> Self {
        number
    }
}

impl Span {
    /// The one in which a position is.
    pub(super) fn of(position: Position) -> Self {
        Self(position.0 / (BLOCK * SPAN))
    }

    /// So many spans further.
    pub(super) fn after(self, spans: u64) -> Self {
        Self(self.0.saturating_add(spans))
    }

    /// So many spans back, or the first one.
    pub(super) fn before(self, spans: u64) -> Self {
        Self(self.0.saturating_sub(spans))
    }

    /// The first position, and the last one.
    pub(super) fn positions(self) -> (Position, Position) {
        let first = self.0.saturating_mul(BLOCK * SPAN);
        (Position(first), Position(first.saturating_add(BLOCK * SPAN - 1)))
    }

    /// The first and the last position of each of some blocks of it, ascending.
    pub(super) fn blocks(self, Blocks(bits): Blocks) -> impl DoubleEndedIterator<Item = (Position, Position)> {
        let (Position(start), _) = self.positions();
        (0..SPAN).filter(move |block| bits >> block & 1 == 1).map(move |block| {
            let first = start + block * BLOCK;
            (Position(first), Position(first + BLOCK - 1))
        })
    }
}

/// Some blocks of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks(u64);

impl Blocks {
    /// All of a span.
    pub(super) const ALL: Self = Self(u64::MAX);

    /// The one in which a position is.
    pub(super) fn of(position: Position) -> Self {
        Self(1 << (position.0 / BLOCK % SPAN))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in either.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// As Postgres has them: the last block is the sign.
    pub(super) fn to_bits(self) -> i64 {
        self.0.cast_signed()
    }

    /// What [`to_bits`](Self::to_bits) gave.
    pub(super) fn from_bits(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `migrations/0009_event_blocks.sql` has it.
    #[test]
    fn a_position_is_in_one_block_of_one_span() {
        for position in [1, 255, 256, 16_383, 16_384, 16_640, 99_999, 10_000_000] {
            let (span, block) = (Span::of(Position(position)), Blocks::of(Position(position)));
            assert_eq!((span.0, block.0), (position >> 14, 1 << (position >> 8 & 63)));
            let (first, last) = span.positions();
            assert!(first.0 <= position && position <= last.0);
            let blocks: Vec<_> = span.blocks(block).collect();
            let [(first, last)] = blocks[..] else { panic!("{blocks:?}") };
            assert!(first.0 <= position && position <= last.0 && last.0 - first.0 == 255);
        }
        let last = Blocks::of(Position(16_383));
        assert_eq!((last.to_bits(), Blocks::from_bits(i64::MIN)), (i64::MIN, last));
        assert_eq!(Span(1).blocks(Blocks::ALL).count(), 64);
    }
}
