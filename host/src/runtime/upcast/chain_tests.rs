//! The chain with upcasters that are defined in this file; those of `tests/upcast` are real components.

use std::collections::BTreeMap;

use gnomon_values::Instant;
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    chain::{Link, UpcasterChain},
    sources::{depends_on, widen_to_sources},
};
use crate::{
    event_log::{EventQuery, EventType, Filter, NameFilter, Position, QueryItem, SchemaVersion, StreamVersion, Tag},
    read_model::Identifier,
    runtime::{BatchError, Delivery, ModuleLabel, ModuleVersion, Sdk, Step, Upcasted, UpcasterDescriptor},
};

/// A type and a schema version.
type Shape = (&'static str, u32);

const TYPES: [&str; 3] = ["A", "B", "C"];

const TAGS: [&str; 2] = ["left", "right"];

/// Steps by the shape that they rewrite: the version to which each leads, and the shapes that it makes of an event.
type Plan = BTreeMap<Shape, (u32, Vec<Shape>)>;

fn version(number: u32) -> SchemaVersion {
    SchemaVersion::try_from(number).unwrap()
}

/// Takes the steps of a plan. The data of an event records the results that led to it.
#[derive(Debug)]
struct PlannedUpcaster {
    label: ModuleLabel,
    descriptor: UpcasterDescriptor,
    plan: Plan,
}

impl PlannedUpcaster {
    fn link(name: &str, plan: &Plan) -> Box<dyn Link> {
        let descriptor = UpcasterDescriptor { sdk: Sdk::of_tests(), steps: declared(plan) };
        let label = ModuleLabel { name: Identifier::new(name).unwrap(), version: Some(ModuleVersion(3)) };
        Box::new(Self { label, descriptor, plan: plan.clone() })
    }
}

/// The steps of a plan, as an upcaster declares them.
fn declared(plan: &Plan) -> Vec<Step> {
    let step = |(&(event_type, from), (to, made)): (&Shape, &(u32, Vec<Shape>))| Step {
        event_type: event_type.to_owned(),
        from: version(from),
        to: version(*to),
        produces: made.iter().map(|&(event_type, _)| event_type.to_owned()).collect(),
    };
    plan.iter().map(step).collect()
}

impl Link for PlannedUpcaster {
    fn label(&self) -> &ModuleLabel {
        &self.label
    }

    fn descriptor(&self) -> &UpcasterDescriptor {
        &self.descriptor
    }

    fn take_step(&mut self, events: &[&Delivery]) -> Result<Vec<Vec<Upcasted>>, BatchError> {
        assert!(!events.is_empty(), "an upcaster is called with at least one event");
        let mut in_order = events.windows(2).map(|pair| (pair[0].position, pair[1].position));
        assert!(in_order.all(|(before, after)| before <= after), "events are passed in the order of their positions");
        let results = |event: &&Delivery| {
            let shape = self.plan.keys().find(|shape| has_shape(event, **shape)).expect("the event has a step");
            let made = self.plan[shape].1.iter().enumerate().map(|(index, (event_type, number))| Upcasted {
                event_type: (*event_type).to_owned(),
                schema_version: version(*number),
                data: with_result(&event.data, index),
                metadata: None,
                tags: tags_of_result(event, index),
            });
            made.collect()
        };
        Ok(events.iter().map(results).collect())
    }
}

fn has_shape(event: &Delivery, (event_type, version): Shape) -> bool {
    event.event_type == event_type && event.schema_version.get() == version
}

/// The data of the result at an index of an event with this data.
fn with_result(data: &str, index: usize) -> String {
    format!("{data}.{index}")
}

/// The tags of the result at an index: those of the event, other ones, or none.
fn tags_of_result(event: &Delivery, index: usize) -> Vec<String> {
    let number = usize::try_from(event.schema_version.get()).unwrap() + index;
    match number % 4 {
        0 => Vec::new(),
        1 => vec![TAGS[number / 4 % 2].to_owned()],
        _ => event.tags.iter().map(ToString::to_string).collect(),
    }
}

fn event(position: u64, (event_type, number): Shape) -> Delivery {
    Delivery {
        position: Position(position),
        part: 0,
        stream: format!("s-{}", position % 3).into(),
        version: StreamVersion(position / 3 + 1),
        id: Uuid::from_u128(position.into()),
        event_type: event_type.into(),
        schema_version: version(number),
        data: position.to_string().into(),
        metadata: Some("{}".into()),
        time: Instant(1000 + position.cast_signed()),
        recorded_at: Instant(2000),
        // Each set of tags in turn.
        tags: (0..2).filter(|index| (position >> index) & 1 == 1).map(|index| TAGS[index].into()).collect(),
    }
}

/// What an event becomes, computed step by step and event by event; `None` if it goes in a circle.
fn naive(event: &Delivery, plan: &Plan, before: &[Shape]) -> Option<Vec<Delivery>> {
    let Some((&shape, (_, results))) = plan.iter().find(|(shape, _)| has_shape(event, **shape)) else {
        return Some(vec![event.clone()]);
    };
    if before.contains(&shape) {
        return None;
    }
    let before = [before, &[shape]].concat();
    let mut all = Vec::new();
    for (index, &(event_type, number)) in results.iter().enumerate() {
        let made = Delivery {
            event_type: event_type.into(),
            schema_version: version(number),
            data: with_result(&event.data, index).into(),
            metadata: None,
            tags: tags_of_result(event, index).into_iter().map(Into::into).collect(),
            ..event.clone()
        };
        all.extend(naive(&made, plan, &before)?);
    }
    Some(all)
}

fn plan(steps: &[(Shape, u32, &[Shape])]) -> Plan {
    steps.iter().map(|(from, to, results)| (*from, (*to, results.to_vec()))).collect()
}

fn chain(plans: &[(&str, &Plan)], max: usize) -> UpcasterChain {
    UpcasterChain::of(plans.iter().map(|(name, plan)| PlannedUpcaster::link(name, plan)).collect(), max).unwrap()
}

fn shapes(events: &[Delivery]) -> Vec<(u64, u32, String, u32)> {
    let shape =
        |event: &Delivery| (event.position.0, event.part, event.event_type.to_string(), event.schema_version.get());
    events.iter().map(shape).collect()
}

fn shape(position: u64, part: u32, (event_type, version): Shape) -> (u64, u32, String, u32) {
    (position, part, event_type.to_owned(), version)
}

#[test]
fn an_event_takes_the_steps_of_several_upcasters_and_its_results_replace_it() {
    let first = plan(&[(("A", 1), 2, &[("A", 2), ("B", 1)]), (("C", 1), 2, &[])]);
    let second = plan(&[(("A", 2), 3, &[("A", 3), ("A", 3)])]);
    let mut chain = chain(&[("second", &second), ("first", &first)], 10);
    let mut events = vec![event(4, ("B", 1)), event(5, ("A", 1)), event(7, ("C", 1)), event(8, ("A", 3))];
    let before = events.clone();
    chain.upcast(&mut events).unwrap();
    assert_eq!(
        shapes(&events),
        [
            shape(4, 0, ("B", 1)),
            shape(5, 0, ("A", 3)),
            shape(5, 1, ("A", 3)),
            shape(5, 2, ("B", 1)),
            shape(8, 0, ("A", 3))
        ]
    );
    // An event without a step is unchanged; a rewritten one keeps everything but type, version, data, metadata and tags.
    assert_eq!((&events[0], &events[4]), (&before[0], &before[3]));
    let tags = tags_of_result(&Delivery { schema_version: version(2), ..before[1].clone() }, 1);
    let tags = tags.into_iter().map(Into::into).collect();
    let kept = Delivery { data: "5.0.1".into(), part: 1, metadata: None, tags, ..before[1].clone() };
    assert_eq!(events[2], Delivery { schema_version: version(3), ..kept });
}

#[test]
fn a_circle_between_upcasters_is_named_and_the_events_are_unchanged() {
    let to_b = plan(&[(("A", 1), 2, &[("B", 1)])]);
    let to_a = plan(&[(("B", 1), 2, &[("A", 1)])]);
    let mut chain = chain(&[("left", &to_b), ("right", &to_a)], 10);
    let mut events = vec![event(8, ("C", 1)), event(9, ("A", 1))];
    let before = events.clone();
    let error = chain.upcast(&mut events).unwrap_err();
    assert_eq!(
        error.to_string(),
        "upcaster `right` version 3: the module broke the contract at position 9: the upcasters rewrite the event in a circle: \
         `A` 1 → `B` 1 → `A` 1"
    );
    assert_eq!(error.upcaster.name.as_str(), "right");
    assert!(matches!(error.error, BatchError::Module(failure) if failure.position == Position(9)));
    assert_eq!(events, before);
    let mut one = vec![event(8, ("C", 1))];
    chain.upcast(&mut one).unwrap();
    assert_eq!(one, before[..1]);
}

#[test]
fn an_event_becomes_no_more_than_the_limit() {
    let twice = plan(&[(("A", 1), 2, &[("A", 2), ("A", 2)]), (("A", 2), 3, &[("A", 3), ("A", 3)])]);
    let mut events = vec![event(1, ("A", 1)), event(2, ("A", 1))];
    chain(&[("twice", &twice)], 4).upcast(&mut events).unwrap();
    assert_eq!(events.len(), 8);
    let mut events = vec![event(1, ("A", 1)), event(2, ("A", 1))];
    let error = chain(&[("twice", &twice)], 3).upcast(&mut events).unwrap_err();
    assert_eq!(
        error.to_string(),
        "upcaster `twice` version 3: the module broke the contract at position 1: one event became 4; the limit \
         max_upcast_events is 3"
    );
}

#[test]
fn upcasters_that_rewrite_the_same_events_make_no_chain() {
    let same = plan(&[(("A", 1), 2, &[("A", 2)])]);
    let links = ["left", "right"].map(|name| PlannedUpcaster::link(name, &same));
    let conflict = UpcasterChain::of(links.into(), 10).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "these upcasters cannot be active together: upcasters `left` and `right` both rewrite `A` from schema version 1"
    );
}

/// Some steps, each of one of three upcasters. Results of the same type have the step's version, others any.
fn plans() -> impl Strategy<Value = [Plan; 3]> {
    let shape = || (0..TYPES.len(), 1..=4_u32).prop_map(|(index, version)| (TYPES[index], version));
    let step = (1..=2_u32, prop::collection::vec(shape(), 0..3), 0..3_usize);
    prop::collection::btree_map(shape(), step, 0..7).prop_map(|steps| {
        let mut plans = [Plan::new(), Plan::new(), Plan::new()];
        for ((event_type, from), (up, mut results, link)) in steps {
            let to = from + up;
            for result in &mut results {
                if result.0 == event_type {
                    result.1 = to;
                }
            }
            plans[link].insert((event_type, from), (to, results));
        }
        plans
    })
}

proptest! {
    #[test]
    fn a_chain_does_what_step_after_step_does(
        plans in plans(),
        written in prop::collection::vec((0..TYPES.len(), 1..=5_u32), 0..12),
    ) {
        let events: Vec<Delivery> =
            (1..).zip(written).map(|(position, (index, version))| event(position, (TYPES[index], version))).collect();
        let all: Plan = plans.iter().flatten().map(|(shape, step)| (*shape, step.clone())).collect();
        let expected: Vec<Option<Vec<Delivery>>> = events.iter().map(|event| naive(event, &all, &[])).collect();
        let named: Vec<(&str, &Plan)> = ["left", "middle", "right"].into_iter().zip(&plans).collect();
        let mut chain = chain(&named, 1000);

        let mut upcasted = events.clone();
        match chain.upcast(&mut upcasted) {
            Ok(()) => {
                let mut flat = Vec::new();
                for results in expected {
                    let results = results.expect("an event that goes in a circle fails");
                    flat.extend((0..).zip(results).map(|(part, event)| Delivery { part, ..event }));
                }
                prop_assert_eq!(upcasted, flat);
            }
            Err(error) => {
                prop_assert_eq!(&upcasted, &events);
                let BatchError::Module(failure) = error.error else { panic!("no module failed: {error}") };
                let index = usize::try_from(failure.position.0).unwrap() - 1;
                prop_assert_eq!(&expected[index], &None);
                // Each event alone has the result that is expected of it.
                for (event, expected) in events.into_iter().zip(expected) {
                    let mut alone = vec![event];
                    let result = chain.upcast(&mut alone).is_ok().then_some(alone);
                    let numbered = expected.map(|results| {
                        (0..).zip(results).map(|(part, event)| Delivery { part, ..event }).collect::<Vec<_>>()
                    });
                    prop_assert_eq!(result, numbered);
                }
            }
        }
    }

    /// Builds read the log by this filter, and a change of the upcasters begins new builds by this rule.
    #[test]
    fn only_sources_need_to_be_read_and_steps_that_a_reader_does_not_depend_on_change_nothing_for_it(
        before in plans(),
        after in plans(),
        kept in prop::collection::vec(any::<bool>(), 3),
        wanted in prop::collection::hash_set(0..TYPES.len(), 0..3),
        tags in prop::collection::hash_set(0..TAGS.len(), 0..2),
    ) {
        // Some upcasters are replaced, others stay; no two rewrite the same events.
        let stay = before.iter().zip(&kept).filter(|(_, kept)| **kept);
        let mut taken: Plan = stay.flat_map(|(plan, _)| plan.clone()).collect();
        let mut plans = [Plan::new(), Plan::new()];
        let mut changed = [Plan::new(), Plan::new()];
        for ((old, new), kept) in before.into_iter().zip(after).zip(kept) {
            plans[0].extend(old.clone());
            if kept {
                plans[1].extend(old);
                continue;
            }
            changed[0].extend(old);
            for (shape, step) in new {
                if taken.insert(shape, step.clone()).is_none() {
                    plans[1].insert(shape, step.clone());
                    changed[1].insert(shape, step);
                }
            }
        }
        let types = NameFilter::only(wanted.into_iter().map(|index| TYPES[index]));
        let item = |index: usize| QueryItem { types: Vec::new(), tags: vec![Tag::new(TAGS[index]).unwrap()] };
        let items: Vec<QueryItem> = tags.into_iter().map(item).collect();
        let query = (!items.is_empty()).then_some(EventQuery { items });
        let has_tags = |query: &Option<EventQuery>, event: &Delivery| {
            let tags: Vec<Tag> = event.tags.iter().map(|tag| Tag::new(&**tag).unwrap()).collect();
            let event_type = EventType::new(&*event.event_type).unwrap();
            query.as_ref().is_none_or(|query| query.matches(&event_type, &tags))
        };
        // Each shape with each set of tags.
        let shapes = TYPES.iter().flat_map(|&name| (1..=5).flat_map(move |number| [(name, number); 4]));
        let written: Vec<Delivery> = (1..).zip(shapes).map(|(position, shape)| event(position, shape)).collect();
        let mut gets = Vec::new();
        for plan in &plans {
            let mut sources = Filter { types: types.clone(), query: query.clone(), ..Filter::default() };
            widen_to_sources(&mut sources, &declared(plan));
            let is_read = |event: &Delivery| sources.types.admits(&event.event_type) && has_tags(&sources.query, event);
            let wanted = |event: &Delivery, plan: &Plan| -> Option<Vec<Delivery>> {
                let results = (0..).zip(naive(event, plan, &[])?).map(|(part, event)| Delivery { part, ..event });
                Some(results.filter(|made| types.admits(&made.event_type) && has_tags(&query, made)).collect())
            };
            for event in written.iter().filter(|event| !is_read(event)) {
                prop_assert_eq!(wanted(event, plan).unwrap_or_default(), [], "{:?} is not read", event);
            }
            let read = written.iter().filter(|event| is_read(event));
            let results = read.map(|event| wanted(event, plan)).filter(|results| *results != Some(Vec::new()));
            gets.push(results.collect::<Vec<_>>());
        }
        let mut sides = plans.iter().zip(&changed);
        let is_concerned = sides.any(|(all, some)| depends_on(&types, &declared(all), &declared(some)));
        prop_assert!(is_concerned || gets[0] == gets[1], "{:?}", gets);
    }
}
