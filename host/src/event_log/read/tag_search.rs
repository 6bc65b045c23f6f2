//! Finding events by their tags.

use sqlx::{PgPool, QueryBuilder};

use super::{
    page::{Filling, PageSize},
    pieces::Pieces,
    range::Range,
};
use crate::{
    event_log::{
        direction::Direction,
        event::Position,
        event_query::QueryItem,
        filter::{Filter, NameFilter},
    },
    postgres::rows_within,
};

/// Positions of the rarest tag that one statement reads, for all items together: some milliseconds of Postgres (docs/PERFORMANCE.md).
const EFFORT: usize = 2048;
/// For one item, however many there are.
const LEAST_EFFORT: usize = 64;
/// How many statements a search has before it returns what it has found.
const SEARCHES: usize = 20;
/// Positions that one of them finds, at least and at most. The events there are read in one statement.
const CANDIDATES: [usize; 2] = [64, 2048];

/// A search for what a filter lets through, where all that matches its query has tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagSearch<'f> {
    filter: &'f Filter,
    items: &'f [QueryItem],
}

/// What a statement of a search found.
#[derive(Debug)]
struct Candidates {
    /// Positions of events that have the tags of an item, in the order of the search. Nothing else of them is looked at.
    positions: Vec<Position>,
    /// The range in which there may be more.
    left: Range,
}

impl<'f> TagSearch<'f> {
    /// The search for what the filter lets through; `None` if that can have no tags.
    pub(super) fn of(filter: &'f Filter) -> Option<Self> {
        let query = filter.query.as_ref().filter(|query| query.is_tagged())?;
        Some(Self { filter, items: &query.items })
    }

    /// Fills a page with what is found in a range, and returns what is left of the range.
    pub(super) async fn fill(
        self,
        page: &mut Filling,
        pieces: &Pieces,
        range: Range,
        direction: Direction,
    ) -> Result<Range, sqlx::Error> {
        let mut left = range;
        for _ in 0..SEARCHES {
            if left.is_empty() || page.is_full() {
                break;
            }
            let found = self.find(&pieces.pool, left, direction, self.candidates(page.room())).await?;
            let piece = pieces.at(&found.positions, page.room(), direction, self.filter).await?;
            left = match piece.cut_at() {
                Some(last) => left.behind(last.position, direction),
                None => found.left,
            };
            page.add(piece.events);
        }
        Ok(left)
    }

    /// The positions that one statement is to find.
    fn candidates(self, room: PageSize) -> usize {
        let [least, most] = CANDIDATES;
        let Filter { types, categories, .. } = self.filter;
        let by_tags_only = *types == NameFilter::All
            && *categories == NameFilter::All
            && self.items.iter().all(|item| item.types.is_empty());
        // What else is demanded may rule out nearly all of them.
        if by_tags_only { room.events.clamp(least, most) } else { most }
    }

    /// At most `most` positions of a range.
    async fn find(
        self,
        pool: &PgPool,
        range: Range,
        direction: Direction,
        most: usize,
    ) -> Result<Candidates, sqlx::Error> {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let effort = number((EFFORT / self.items.len()).max(LEAST_EFFORT));
        let mut statement = QueryBuilder::new("");
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                statement.push(" UNION ALL ");
            }
            let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
            statement.push("SELECT found_at, is_match FROM gnomon.tagged(");
            let mut parameters = statement.separated(", ");
            parameters.push_bind(tags).push_bind(range.low).push_bind(range.high);
            parameters.push_bind(direction == Direction::Backward).push_bind(number(most)).push_bind(effort);
            statement.push(")");
        }
        let rows: Vec<(Position, bool)> =
            rows_within("the tags of events", statement.build_query_as().fetch(pool)).await?;
        Ok(Candidates::of(rows, range, direction, most))
    }
}

impl Candidates {
    /// Brings together what the items found, each at most `most`: matches, and where the search of an item ended before the range did.
    fn of(rows: Vec<(Position, bool)>, range: Range, direction: Direction, most: usize) -> Self {
        let ends = rows.iter().filter(|(_, is_match)| !is_match).map(|(next, _)| *next);
        // What each item has been searched for, and all that is left.
        let (searched, mut left) = match direction {
            Direction::Forward => {
                let high = ends.min().map_or(range.high, |next| Position(next.0 - 1));
                (Range { high, ..range }, Range { low: high, ..range })
            }
            Direction::Backward => {
                let low = ends.max().unwrap_or(range.low);
                (Range { low, ..range }, Range { high: low, ..range })
            }
        };
        let matches = rows.into_iter().filter(|(_, is_match)| *is_match).map(|(position, _)| position);
        let mut positions: Vec<Position> =
            matches.filter(|position| searched.low < *position && *position <= searched.high).collect();
        positions.sort_unstable();
        positions.dedup();
        if direction == Direction::Backward {
            positions.reverse();
        }
        // An item that found as many as it may has not been searched beyond the last of these.
        if positions.len() >= most {
            positions.truncate(most);
            left = positions.last().map_or(left, |last| range.behind(*last, direction));
        }
        Self { positions, left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(rows: &[(u64, bool)], direction: Direction, most: usize) -> (Vec<u64>, u64) {
        let rows = rows.iter().map(|(position, is_match)| (Position(*position), *is_match)).collect();
        let whole = Range { low: Position(0), high: Position(100) };
        let Candidates { positions, left } = Candidates::of(rows, whole, direction, most);
        let searched = match direction {
            Direction::Forward => left.low,
            Direction::Backward => left.high,
        };
        (positions.into_iter().map(|position| position.0).collect(), searched.0)
    }

    #[test]
    fn what_the_items_find_is_brought_together() {
        let rows = [(9, true), (3, true), (9, true), (70, true)];
        assert_eq!(candidates(&rows, Direction::Forward, 10), (vec![3, 9, 70], 100));
        assert_eq!(candidates(&rows, Direction::Backward, 10), (vec![70, 9, 3], 0));
        assert_eq!(candidates(&rows, Direction::Forward, 2), (vec![3, 9], 9));
        assert_eq!(candidates(&rows, Direction::Backward, 2), (vec![70, 9], 8));
        assert_eq!(candidates(&[], Direction::Forward, 2), (vec![], 100));
        assert_eq!(candidates(&[], Direction::Backward, 2), (vec![], 0));
    }

    #[test]
    fn the_first_item_that_ended_early_ends_the_search() {
        let rows = [(9, true), (20, false), (3, true), (70, true), (50, false)];
        assert_eq!(candidates(&rows, Direction::Forward, 10), (vec![3, 9], 19));
        assert_eq!(candidates(&rows, Direction::Backward, 10), (vec![70], 50));
    }
}
