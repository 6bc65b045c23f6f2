//! The events, as the log has them, from which upcasters make those that a projection reads.

use std::collections::{HashMap, HashSet};

use crate::{
    event_log::{Filter, NameFilter},
    runtime::descriptor::Step,
};

/// Lets through, beside the events that the filter selects, those from which the steps make such events, directly or through others.
/// An event that is still not let through becomes none that the filter selects.
///
/// A step may change tags. So where a step takes one of the events, they are read whatever their tags, and only what comes out of the
/// steps shows which of them are wanted.
pub fn widen_to_sources<'s>(filter: &mut Filter, steps: impl IntoIterator<Item = &'s Step>) {
    let steps: Vec<&Step> = steps.into_iter().collect();
    add_sources(&mut filter.types, steps.iter().copied());
    if steps.iter().any(|step| filter.types.admits(&step.event_type)) {
        filter.query = None;
    }
}

/// Lets through, beside these types, those from which the steps make one of them, directly or through others: an event of any other
/// type becomes none that is let through.
fn add_sources<'s>(types: &mut NameFilter, steps: impl IntoIterator<Item = &'s Step>) {
    let NameFilter::Only(names) = types else { return };
    let sources =
        steps.into_iter().flat_map(|step| step.produces.iter().map(|made| (made.as_str(), &*step.event_type)));
    add_reachable(names, sources);
}

/// Whether a reader of these types depends on `some` of the steps of a chain: one of them takes an event on its way from the log to the
/// reader, or one that is made of the same event of the log, whose failure is one of the reader's event and whose results count in
/// the `part` of the reader's.
#[must_use]
pub fn depends_on(types: &NameFilter, chain: &[Step], some: &[Step]) -> bool {
    let mut sources = types.clone();
    add_sources(&mut sources, chain);
    let NameFilter::Only(mut names) = sources else { return !some.is_empty() };
    let results = chain.iter().flat_map(|step| step.produces.iter().map(|made| (&*step.event_type, made.as_str())));
    add_reachable(&mut names, results);
    some.iter().any(|step| names.contains(&step.event_type))
}

/// Adds the names to which these pairs lead, from the first to the second.
fn add_reachable<'p>(names: &mut Vec<String>, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
    let mut by_first: HashMap<&str, Vec<&str>> = HashMap::new();
    for (first, second) in pairs {
        by_first.entry(first).or_default().push(second);
    }
    let mut known: HashSet<String> = names.iter().cloned().collect();
    let mut next = 0;
    while let Some(name) = names.get(next) {
        let more = by_first.remove(name.as_str()).unwrap_or_default();
        names.extend(more.into_iter().filter(|name| known.insert((*name).to_owned())).map(str::to_owned));
        next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{EventQuery, QueryItem, SchemaVersion, Tag};

    fn step(event_type: &str, produces: &[&str]) -> Step {
        let version = |number: u32| SchemaVersion::try_from(number).unwrap();
        let produces = produces.iter().map(|&produced| produced.to_owned()).collect();
        Step { event_type: event_type.to_owned(), from: version(1), to: version(2), produces }
    }

    fn widened(types: &[&str], steps: &[Step]) -> NameFilter {
        let mut types = NameFilter::only(types.iter().copied());
        add_sources(&mut types, steps);
        types
    }

    #[test]
    fn a_type_has_the_types_that_it_is_made_of_as_sources() {
        let steps = [step("A", &["A", "B"]), step("B", &["C"]), step("X", &["X", "Y"]), step("D", &[])];
        assert_eq!(widened(&["C"], &steps), NameFilter::only(["C", "B", "A"]));
        assert_eq!(widened(&["B"], &steps), NameFilter::only(["B", "A"]));
        assert_eq!(widened(&["A"], &steps), NameFilter::only(["A"; 1]));
        assert_eq!(widened(&["D", "Y"], &steps), NameFilter::only(["D", "Y", "X"]));
        assert_eq!(widened(&["Z"], &steps), NameFilter::only(["Z"; 1]));
        assert_eq!(widened(&[], &steps), NameFilter::Only(Vec::new()));
        let mut all = NameFilter::All;
        add_sources(&mut all, &steps);
        assert_eq!(all, NameFilter::All);
    }

    #[test]
    fn tags_are_looked_at_in_the_log_unless_a_step_takes_one_of_the_events() {
        let steps = [step("A", &["B"]), step("X", &[])];
        let tag = Tag::new("course:c1").unwrap();
        let query = EventQuery { items: vec![QueryItem { types: Vec::new(), tags: vec![tag] }] };
        let reads = |types: NameFilter, steps: &[Step]| {
            let mut filter = Filter { types, query: Some(query.clone()), ..Filter::default() };
            widen_to_sources(&mut filter, steps);
            filter.query.map_or("any tags", |_| "its tags")
        };
        let only = |name: &str| NameFilter::only([name; 1]);
        assert_eq!(
            ["A", "B", "C", "X"].map(|name| reads(only(name), &steps)),
            ["any tags", "any tags", "its tags", "any tags"]
        );
        assert_eq!(reads(NameFilter::All, &steps), "any tags");
        assert_eq!(reads(NameFilter::All, &[]), "its tags");
    }

    #[test]
    fn steps_in_a_circle_end() {
        let steps = [step("A", &["B"]), step("B", &["A"]), step("A", &["A"])];
        assert_eq!(widened(&["A"], &steps), NameFilter::only(["A", "B"]));
    }

    #[test]
    fn a_reader_depends_on_the_steps_that_its_events_and_their_siblings_take() {
        let (splits, renames, other) = (step("A", &["A", "B", "S"]), step("B", &["C"]), step("X", &["Y"]));
        let sibling = step("S", &["T"]);
        let chain = [splits.clone(), renames.clone(), other.clone(), sibling.clone()];
        let depends = |event_type: &str, some: &Step| {
            depends_on(&NameFilter::only([event_type; 1]), &chain, std::slice::from_ref(some))
        };
        let readers = |some: &Step| ["A", "B", "C", "S", "X", "Y", "Z"].map(|event_type| depends(event_type, some));
        assert_eq!(readers(&splits), [true, true, true, true, false, false, false]);
        assert_eq!(readers(&renames), [true, true, true, true, false, false, false]);
        assert_eq!(readers(&other), [false, false, false, false, true, true, false]);
        // An event without an event that is made of it.
        assert!(depends_on(&NameFilter::only(["D"; 1]), &[step("D", &[])], &[step("D", &[])]));
        assert!(depends_on(&NameFilter::All, &chain, &chain[..1]));
        assert!(!depends_on(&NameFilter::All, &chain, &[]));
    }
}
