//! Types and tags by their numbers, and what a query matches: as plain as it can be said.

use std::collections::BTreeSet;

use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};

/// Types of events.
const TYPES: u16 = 5;
/// Tags that many events have …
const COMMON: u16 = 12;
/// … and the numbers of tags that few have.
const RARE: std::ops::Range<u16> = 100..1_100;

/// What a query sees of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) event_type: u16,
    /// In the order in which they were given; one may be there twice.
    pub(super) tags: Vec<u16>,
}

impl Facts {
    /// Of a random event, with so many tags.
    pub(super) fn random(random: &mut StdRng, tags: std::ops::Range<usize>) -> Self {
        let count = random.random_range(tags);
        Self { event_type: random.random_range(0..TYPES), tags: (0..count).map(|_| tag(random)).collect() }
    }

    /// Of an event as the API has it.
    pub(super) fn of(event: &Value) -> Self {
        let tags = event["tags"].as_array().into_iter().flatten();
        Self { event_type: number(&event["type"]), tags: tags.map(number).collect() }
    }

    /// With each tag once, as the log has them.
    pub(super) fn distinct(&self) -> Self {
        let mut seen = BTreeSet::new();
        let tags = self.tags.iter().copied().filter(|tag| seen.insert(*tag)).collect();
        Self { event_type: self.event_type, tags }
    }

    pub(super) fn type_name(&self) -> String {
        format!("Type{}", self.event_type)
    }

    pub(super) fn tag_names(&self) -> Vec<String> {
        self.tags.iter().map(|tag| format!("tag:{tag}")).collect()
    }
}

fn tag(random: &mut StdRng) -> u16 {
    if random.random_bool(0.7) { random.random_range(0..COMMON) } else { random.random_range(RARE) }
}

/// The number at the end of a name.
fn number(name: &Value) -> u16 {
    let name = name.as_str().unwrap();
    name.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap()
}

/// An event query.
#[derive(Clone, Debug)]
pub(super) struct Query(Vec<Item>);

#[derive(Clone, Debug)]
struct Item {
    types: Vec<u16>,
    tags: Vec<u16>,
}

impl Query {
    /// A query that every event matches.
    pub(super) fn all() -> Self {
        Self(vec![Item { types: Vec::new(), tags: Vec::new() }])
    }

    pub(super) fn random(random: &mut StdRng) -> Self {
        let items = if random.random_bool(0.6) { 1 } else { random.random_range(2..=4) };
        Self((0..items).map(|_| Item::random(random)).collect())
    }

    pub(super) fn matches(&self, event: &Facts) -> bool {
        self.0.iter().any(|item| {
            (item.types.is_empty() || item.types.contains(&event.event_type))
                && item.tags.iter().all(|tag| event.tags.contains(tag))
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({"items": self.0.iter().map(Item::json).collect::<Vec<_>>()})
    }
}

impl Item {
    fn random(random: &mut StdRng) -> Self {
        // Few match every event, or every event of some types: such a condition fails nearly always.
        let tags = if random.random_bool(0.1) { 0 } else { random.random_range(1..4) };
        let types = if random.random_bool(0.5) { 0 } else { random.random_range(1..=2) };
        Self {
            types: (0..types).map(|_| random.random_range(0..TYPES)).collect(),
            tags: (0..tags).map(|_| tag(random)).collect(),
        }
    }

    fn json(&self) -> Value {
        let mut item = json!({});
        if !self.types.is_empty() {
            item["types"] = self.types.iter().map(|number| format!("Type{number}")).collect();
        }
        if !self.tags.is_empty() {
            item["tags"] = self.tags.iter().map(|number| format!("tag:{number}")).collect();
        }
        item
    }
}

#[test]
fn a_query_matches_what_one_of_its_items_matches() {
    let query = Query(vec![Item { types: vec![1, 2], tags: vec![3, 4] }, Item { types: vec![], tags: vec![5] }]);
    let matches = |event_type, tags: &[u16]| query.matches(&Facts { event_type, tags: tags.to_vec() });
    assert!(matches(1, &[4, 9, 3]) && matches(2, &[3, 4]) && matches(7, &[5]));
    assert!(!matches(3, &[3, 4]) && !matches(1, &[3]) && !matches(1, &[]));
    assert!(Query::all().matches(&Facts { event_type: 0, tags: Vec::new() }));
}
