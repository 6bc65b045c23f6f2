//! Finding events by their tags.

use sqlx::{PgPool, QueryBuilder};

use super::{
    direction::Direction,
    event::Position,
    event_query::{EventQuery, QueryItem},
    filter::Filter,
};
use crate::postgres::rows_within;

/// Leaps between tags in one statement, for all items together, and a thousand times as many positions that are read where leaps do not help:
/// less than 100 ms of Postgres (docs/PERFORMANCE.md).
const LEAPS: usize = 256;
/// For one item, however many there are.
const LEAST_LEAPS: usize = 16;

/// A search for events whose tags match one of the items of a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagSearch<'q> {
    items: &'q [QueryItem],
}

/// What a statement of a search found.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Positions of events that have the tags of an item, in the order of the search. Their types are not looked at.
    pub(super) positions: Vec<Position>,
    /// Up to which position all of them are found, in the direction of the search: forward the position itself included, backward not.
    pub(super) searched: Position,
}

impl<'q> TagSearch<'q> {
    /// The search for what the filter lets through; `None` if that can have no tags.
    pub(super) fn of(filter: &'q Filter) -> Option<Self> {
        filter.query.as_ref().and_then(Self::of_query)
    }

    /// The search for what matches; `None` if that can have no tags.
    pub(super) fn of_query(query: &'q EventQuery) -> Option<Self> {
        query.is_tagged().then_some(Self { items: &query.items })
    }

    /// Whether what the tags find may be of another type than what is searched for.
    pub(super) fn has_types(self) -> bool {
        self.items.iter().any(|item| !item.types.is_empty())
    }

    /// At most `most` positions beyond `low`, up to and including `high`.
    pub(super) async fn find(
        self,
        pool: &PgPool,
        (low, high): (Position, Position),
        direction: Direction,
        most: usize,
    ) -> Result<Candidates, sqlx::Error> {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let leaps = number((LEAPS / self.items.len()).max(LEAST_LEAPS));
        let mut statement = QueryBuilder::new("");
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                statement.push(" UNION ALL ");
            }
            let tags: Vec<&str> = item.tags.iter().map(|tag| tag.as_str()).collect();
            statement.push("SELECT found_at, is_match FROM gnomon.tagged(");
            let mut parameters = statement.separated(", ");
            parameters.push_bind(tags).push_bind(low).push_bind(high);
            parameters.push_bind(direction == Direction::Backward).push_bind(number(most)).push_bind(leaps);
            statement.push(")");
        }
        let rows: Vec<(Position, bool)> =
            rows_within("the tags of events", statement.build_query_as().fetch(pool)).await?;
        Ok(Candidates::of(rows, (low, high), direction, most))
    }
}

impl Candidates {
    /// Brings together what the items found, each at most `most`.
    fn of(rows: Vec<(Position, bool)>, (low, high): (Position, Position), direction: Direction, most: usize) -> Self {
        let ends = rows.iter().filter(|(_, is_match)| !is_match).map(|(candidate, _)| *candidate);
        let mut positions: Vec<Position> =
            rows.iter().filter(|(_, is_match)| *is_match).map(|(position, _)| *position).collect();
        positions.sort_unstable();
        positions.dedup();
        match direction {
            Direction::Forward => {
                // What comes before the first candidate that is left has been searched for each item.
                let mut searched = ends.min().map_or(high, |candidate| Position(candidate.0 - 1));
                positions.retain(|position| *position <= searched);
                if positions.len() >= most {
                    positions.truncate(most);
                    searched = positions.last().copied().unwrap_or(searched);
                }
                Self { positions, searched }
            }
            Direction::Backward => {
                let mut searched = ends.max().unwrap_or(low);
                positions.retain(|position| *position > searched);
                positions.reverse();
                if positions.len() >= most {
                    positions.truncate(most);
                    searched = positions.last().map_or(searched, |last| Position(last.0 - 1));
                }
                Self { positions, searched }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(rows: &[(u64, bool)], direction: Direction, most: usize) -> (Vec<u64>, u64) {
        let rows = rows.iter().map(|(position, is_match)| (Position(*position), *is_match)).collect();
        let Candidates { positions, searched } = Candidates::of(rows, (Position(0), Position(100)), direction, most);
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
