//! Finding the blocks of the log that have events of some types, or of streams of some categories.

use std::collections::BTreeMap;

use sqlx::{PgPool, QueryBuilder};

use super::{
    held_blocks::{HeldBlocks, Part},
    range::Range,
};
use crate::{
    event_log::{
        blocks::{ANY_NAME, Blocks, NameKind, Span},
        direction::Direction,
        event::Position,
        filter::Filter,
    },
    postgres::rows_within,
};

/// Spans that one look at the table covers: a million positions. So it reads at most so many rows for each name, and none where there are no
/// such events.
const LOOK: u64 = 64;
/// How many looks a search has.
const LOOKS: usize = 64;
/// Blocks that are read in one statement, at least and at most: as many as there are events to be read, and then twice as many, and so on.
const BLOCKS: [usize; 2] = [8, 192];
/// Names of a condition. With more it is not looked where they are.
const MAX_NAMES: usize = 1024;

/// A search for the blocks that hold what a filter lets through.
#[derive(Debug)]
pub(super) struct BlockSearch<'f> {
    direction: Direction,
    /// An event has to meet all of them.
    conditions: Vec<Condition<'f>>,
    held: Option<HeldBlocks>,
    looks: usize,
    /// Blocks of the next part, at least.
    least: usize,
}

/// An event has one of these names.
#[derive(Debug)]
struct Condition<'f> {
    kind: NameKind,
    names: Vec<&'f str>,
}

impl<'f> BlockSearch<'f> {
    /// The search for what the filter lets through; `None` if any block may hold that.
    pub(super) fn of(filter: &'f Filter, direction: Direction) -> Option<Self> {
        let mut conditions = Vec::new();
        for (kind, names) in [(NameKind::Type, &filter.types), (NameKind::Category, &filter.categories)] {
            if let Some(names) = names.names() {
                conditions.push(Condition { kind, names: names.iter().map(String::as_str).collect() });
            }
        }
        if let Some(query) = &filter.query
            && query.items.iter().all(|item| !item.types.is_empty())
        {
            let names = query.items.iter().flat_map(|item| &item.types).map(|name| name.as_str()).collect();
            conditions.push(Condition { kind: NameKind::Type, names });
        }
        // The empty name is that of streams without a category.
        conditions.retain(|Condition { names, .. }| names.len() <= MAX_NAMES && !names.contains(&ANY_NAME));
        let [least, _] = BLOCKS;
        (!conditions.is_empty()).then_some(Self { direction, conditions, held: None, looks: 0, least })
    }

    /// The next part of a range that has something to be read, to find about so many events. If it has nothing, there is none in the range, or
    /// the search has looked often enough.
    pub(super) async fn next(&mut self, pool: &PgPool, left: Range, events: usize) -> Result<Part, sqlx::Error> {
        if self.conditions.iter().any(|condition| condition.names.is_empty()) {
            return Ok(Part { range: left, runs: Vec::new() });
        }
        let [_, most] = BLOCKS;
        let blocks = events.clamp(self.least, most);
        self.least = most.min(2 * blocks);
        let (mut rest, mut runs) = (left, Vec::new());
        while runs.is_empty() && !rest.is_empty() {
            let held = match self.held.take().filter(|held| held.has_beginning_of(rest, self.direction)) {
                Some(held) => held,
                None if self.looks < LOOKS => self.look(pool, rest).await?,
                None => break,
            };
            let part = self.held.insert(held).part(rest, blocks, self.direction);
            rest = rest.without(part.range, self.direction);
            runs = part.runs;
        }
        Ok(Part { range: left.before(rest, self.direction), runs })
    }

    /// Looks at the beginning of a range.
    async fn look(&mut self, pool: &PgPool, left: Range) -> Result<HeldBlocks, sqlx::Error> {
        self.looks += 1;
        let (first, last) = match self.direction {
            Direction::Forward => {
                let first = Span::of(left.low.next());
                (first, first.after(LOOK - 1))
            }
            Direction::Backward => {
                let last = Span::of(left.high);
                (last.before(LOOK - 1), last)
            }
        };
        let ((start, _), (_, high)) = (first.positions(), last.positions());
        let range = Range { low: Position(start.0.saturating_sub(1)), high }.within(left);
        let mut statement = QueryBuilder::new("");
        for (index, Condition { kind, names }) in self.conditions.iter().enumerate() {
            if index > 0 {
                statement.push(" UNION ALL ");
            }
            statement
                .push("SELECT span, bit_or(blocks) FROM gnomon.event_blocks WHERE kind = ")
                .push_bind(kind.as_str());
            let names: Vec<&str> = names.iter().copied().chain([ANY_NAME]).collect();
            statement.push(" AND name = ANY (").push_bind(names).push(") AND span BETWEEN ").push_bind(first);
            statement.push(" AND ").push_bind(last).push(" GROUP BY span");
        }
        let rows: Vec<(Span, i64)> =
            rows_within("the blocks of the log", statement.build_query_as().fetch(pool)).await?;
        // Blocks that meet so many of the conditions.
        let mut spans = BTreeMap::<Span, (Blocks, usize)>::new();
        for (span, bits) in rows {
            let (blocks, met) = spans.entry(span).or_insert((Blocks::ALL, 0));
            (*blocks, *met) = (blocks.and(Blocks::from_bits(bits)), *met + 1);
        }
        let all = self.conditions.len();
        let spans = spans.into_iter().filter(|(_, (_, met))| *met == all).map(|(span, (blocks, _))| (span, blocks));
        Ok(HeldBlocks { range, spans: spans.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{
        EventQuery, EventType, NameFilter, QueryItem, Tag,
        tests::{TestLog, event, stream},
    };

    fn query(items: &[(&[&str], &[&str])]) -> Option<EventQuery> {
        let item = |(types, tags): &(&[&str], &[&str])| QueryItem {
            types: types.iter().map(|name| EventType::new(*name).unwrap()).collect(),
            tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
        };
        Some(EventQuery { items: items.iter().map(item).collect() })
    }

    fn conditions(filter: &Filter) -> Vec<String> {
        let search = BlockSearch::of(filter, Direction::Forward);
        let conditions = search.map_or(Vec::new(), |search| search.conditions);
        conditions.iter().map(|Condition { kind, names }| format!("{} {}", kind.as_str(), names.join(","))).collect()
    }

    #[test]
    fn a_filter_that_names_types_or_categories_is_looked_for() {
        let all = Filter::default();
        assert_eq!(conditions(&all), [""; 0]);
        let types = Filter { types: NameFilter::only(["A", "B"]), ..all.clone() };
        assert_eq!(conditions(&types), ["type A,B"]);
        let both = Filter { categories: NameFilter::only(["a"; 1]), ..types };
        assert_eq!(conditions(&both), ["type A,B", "category a"]);
        let typed = Filter { query: query(&[(&["A"], &["x"]), (&["C", "A"], &[])]), ..both };
        assert_eq!(conditions(&typed), ["type A,B", "category a", "type A,C,A"]);
        // An item that does not name types has any.
        let untyped = Filter { query: query(&[(&["A"], &[]), (&[], &["x"])]), ..all.clone() };
        assert_eq!(conditions(&untyped), [""; 0]);
        let nothing = Filter { query: query(&[]), ..all.clone() };
        assert_eq!(conditions(&nothing), ["type "]);
        let without = Filter { categories: NameFilter::only(["a", ""]), ..all.clone() };
        assert_eq!(conditions(&without), [""; 0]);
        let many = Filter { types: NameFilter::only((0..=MAX_NAMES).map(|number| number.to_string())), ..all };
        assert_eq!(conditions(&many), [""; 0]);
    }
    /// Everything of a range that a search reads, for so many events at once, and how often it looks.
    async fn read(
        test: &TestLog,
        filter: &Filter,
        range: Range,
        direction: Direction,
        events: usize,
    ) -> (Vec<Range>, usize) {
        let mut search = BlockSearch::of(filter, direction).unwrap();
        let (mut left, mut runs) = (range, Vec::new());
        while !left.is_empty() {
            let part = search.next(&test.pool, left, events).await.unwrap();
            assert!(!part.range.is_empty(), "it has looked too often");
            left = left.without(part.range, direction);
            runs.extend(part.runs);
        }
        (runs, search.looks)
    }

    /// The log has events in three places. Nothing is read where a type is not, however long that is.
    #[tokio::test(flavor = "multi_thread")]
    async fn only_the_blocks_of_a_rare_type_are_read() {
        let test = TestLog::open().await;
        let mut head = 0;
        for (lift, types) in
            [(0, ["Common", "Rare"]), (3_000_000, ["Common", "Rare"]), (4_100_000, ["Common", "Common"])]
        {
            sqlx::query("UPDATE gnomon.head SET position = $1").bind(head + lift).execute(&test.pool).await.unwrap();
            let lines = (0..5000).map(|number| (stream("a-1"), event(types[usize::from(number == 2500)])));
            let last = test.log.import(lines.collect(), 1).await.unwrap().last_position.unwrap();
            head = last.wire();
        }
        let whole = Range { low: Position(0), high: Position(7_115_000) };
        let filter = |types: &[&str]| Filter { types: NameFilter::only(types.iter().copied()), ..Filter::default() };
        let (forward, backward) = (Direction::Forward, Direction::Backward);
        let block = |position: u64| Range {
            low: Position(position / 256 * 256 - 1),
            high: Position(position / 256 * 256 + 255),
        };
        let [first, second] = [block(2501), block(3_007_501)];
        assert_eq!(read(&test, &filter(&["Rare"]), whole, forward, 500).await, (vec![first, second], 7));
        assert_eq!(read(&test, &filter(&["Rare", "None"]), whole, backward, 500).await, (vec![second, first], 7));
        assert_eq!(read(&test, &filter(&["None"]), whole, forward, 1).await, (vec![], 7));
        let (common, _) = read(&test, &filter(&["Common"]), whole, forward, 10).await;
        let read: u64 = common.iter().map(|run| run.len()).sum();
        assert!((15_000..16_000).contains(&read), "{read}: {common:?}");
    }
}
