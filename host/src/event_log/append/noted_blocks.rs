//! What of the newest events is in `gnomon.event_blocks` already.

use std::collections::HashMap;

use super::plan::PlannedEvent;
use crate::event_log::blocks::{ANY_NAME, Blocks, NameKind, Span};

/// Types, and categories, of a span that a host notes by their names; where there are more, it notes any name.
const MAX_NAMES: usize = 1024;

/// Blocks by name.
type Names = HashMap<String, Blocks>;

/// What this host has noted and committed of the newest span. It holds for the log whose end this host knows, and has to be forgotten with
/// that: another log may lack it, and then events would not be found.
#[derive(Debug, Default)]
pub(super) struct NotedBlocks {
    /// The span, its types and its categories.
    newest: Option<(Span, Names, Names)>,
}

/// What is to be noted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NewBlocks<'e>(HashMap<(Span, NameKind, &'e str), Blocks>);

impl<'e> NewBlocks<'e> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NameKind, &'e str, Span, Blocks)> {
        self.0.iter().map(|((span, kind, name), blocks)| (*kind, *name, *span, *blocks))
    }
}

impl NotedBlocks {
    /// What of these events may not be noted yet.
    pub(super) fn unnoted<'e>(&self, events: &[PlannedEvent<'e>]) -> NewBlocks<'e> {
        let (mut new, mut new_names) = (HashMap::new(), HashMap::<_, usize>::new());
        for PlannedEvent { position, stream, event, .. } in events {
            let (span, block) = (Span::of(*position), Blocks::of(*position));
            for (kind, name) in [(NameKind::Type, event.event_type.as_str()), (NameKind::Category, stream.category())] {
                let known = self.names(span, kind);
                let is_noted =
                    |name| known.and_then(|known| known.get(name)).is_some_and(|blocks| !blocks.and(block).is_empty());
                // A stream may have no category.
                if name.is_empty() || is_noted(name) || is_noted(ANY_NAME) {
                    continue;
                }
                let mut name = name;
                if !known.is_some_and(|known| known.contains_key(name)) && !new.contains_key(&(span, kind, name)) {
                    let count = new_names.entry((span, kind)).or_default();
                    match known.map_or(0, HashMap::len) + *count < MAX_NAMES {
                        true => *count += 1,
                        false => name = ANY_NAME,
                    }
                }
                let blocks: &mut Blocks = new.entry((span, kind, name)).or_default();
                *blocks = blocks.or(block);
            }
        }
        NewBlocks(new)
    }

    /// Remembers what was committed, as far as it is of the newest span.
    pub(super) fn add(&mut self, committed: NewBlocks<'_>) {
        for ((span, kind, name), blocks) in committed.0 {
            if self.newest.as_ref().is_none_or(|(newest, ..)| *newest < span) {
                self.newest = Some((span, Names::new(), Names::new()));
            }
            let Some((_, types, categories)) = self.newest.as_mut().filter(|(newest, ..)| *newest == span) else {
                continue;
            };
            let names = match kind {
                NameKind::Type => types,
                NameKind::Category => categories,
            };
            let known = names.entry(name.to_owned()).or_default();
            *known = known.or(blocks);
        }
    }

    fn names(&self, span: Span, kind: NameKind) -> Option<&Names> {
        let (_, types, categories) = self.newest.as_ref().filter(|(newest, ..)| *newest == span)?;
        Some(match kind {
            NameKind::Type => types,
            NameKind::Category => categories,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{
        NewEvent, Position, StreamName, StreamVersion,
        tests::{event, stream},
    };

    fn planned<'e>(events: &'e [(u64, StreamName, NewEvent)]) -> Vec<PlannedEvent<'e>> {
        let plan = |(position, stream, event): &'e (u64, StreamName, NewEvent)| PlannedEvent {
            position: Position(*position),
            version: StreamVersion(1),
            stream,
            event,
        };
        events.iter().map(plan).collect()
    }

    /// What is to be noted of events, as one text for each name, ascending: `type A 0:3` for the first two blocks of the first span.
    fn unnoted(noted: &NotedBlocks, events: &[(u64, StreamName, NewEvent)]) -> Vec<String> {
        let new = noted.unnoted(&planned(events));
        let mut texts: Vec<_> = new
            .iter()
            .map(|(kind, name, span, blocks)| format!("{} {name} {span:?}:{:b}", kind.as_str(), blocks.to_bits()))
            .collect();
        texts.sort();
        texts
    }

    fn commit(noted: &mut NotedBlocks, events: &[(u64, StreamName, NewEvent)]) {
        let new = noted.unnoted(&planned(events));
        noted.add(new);
    }

    fn of(position: u64, name: &str, event_type: &str) -> (u64, StreamName, NewEvent) {
        (position, stream(name), event(event_type))
    }

    #[test]
    fn what_is_noted_is_not_noted_again_until_the_next_block() {
        let mut noted = NotedBlocks::default();
        let first = [of(1, "a-1", "A"), of(2, "a-2", "B"), of(256, "a-1", "A")];
        let all = ["category a Span(0):11", "type A Span(0):11", "type B Span(0):1"];
        assert_eq!(unnoted(&noted, &first), all);
        assert_eq!(unnoted(&noted, &first), all, "nothing is remembered of what was not committed");
        commit(&mut noted, &first);
        assert_eq!(unnoted(&noted, &first), [""; 0]);
        assert_eq!(
            unnoted(&noted, &[of(300, "a-9", "A"), of(301, "a-9", "B"), of(302, "b-1", "A"), of(303, "-1", "A")]),
            ["category b Span(0):10", "type B Span(0):10"]
        );
    }

    #[test]
    fn the_newest_span_is_remembered() {
        let mut noted = NotedBlocks::default();
        // The first block of a span is not that of the next one.
        commit(&mut noted, &[of(1, "a-1", "A"), of(2, "a-1", "B")]);
        let across = [of(16_383, "a-1", "A"), of(16_384, "a-1", "A"), of(16_385, "a-1", "B")];
        let last = i64::MIN;
        assert_eq!(
            unnoted(&noted, &across),
            [
                format!("category a Span(0):{last:b}"),
                "category a Span(1):1".to_owned(),
                format!("type A Span(0):{last:b}"),
                "type A Span(1):1".to_owned(),
                "type B Span(1):1".to_owned(),
            ]
        );
        commit(&mut noted, &across);
        assert_eq!(unnoted(&noted, &across[1..]), [""; 0], "the newest span is remembered");
        assert_eq!(unnoted(&noted, &across[..1]).len(), 2, "an older span is noted again");
        commit(&mut noted, &across[..1]);
        assert_eq!(unnoted(&noted, &across[1..]), [""; 0], "and does not replace the newest");
    }

    #[test]
    fn beyond_so_many_names_any_name_is_noted() {
        let mut noted = NotedBlocks::default();
        let name = |number: usize| of(number as u64 % 200 + 1, &format!("c{number}-1"), "A");
        let events: Vec<_> = (0..MAX_NAMES + 10).map(name).collect();
        let new = unnoted(&noted, &events);
        assert_eq!(new.len(), MAX_NAMES + 2, "the names, the type and any");
        assert!(new.contains(&"category  Span(0):1".to_owned()));
        // In several groups it is the same.
        for event in &events {
            commit(&mut noted, std::slice::from_ref(event));
        }
        assert_eq!(noted.newest.as_ref().unwrap().2.len(), MAX_NAMES + 1);
        assert_eq!(unnoted(&noted, &[name(MAX_NAMES + 77)]), [""; 0], "any is noted for this block");
        // In the next block a known name is noted, and one that is not as any.
        assert_eq!(
            unnoted(&noted, &[of(256, "c5-1", "A"), of(257, "new-1", "A"), of(258, "newer-1", "A")]),
            ["category  Span(0):10", "category c5 Span(0):10", "type A Span(0):10"]
        );
    }
}
