//! Checks the steps of one upcaster, and whether several upcasters can be active together.
//!
//! A step leads to a later schema version of its type, so the declared steps of any set of upcasters form no circle. An event
//! that changes its type on the way can still go in a circle; the [chain](super::upcast) detects that.

use std::collections::{BTreeMap, HashMap, HashSet};

use gnomon_values::limits::{MAX_STEPS, MAX_WANTED};

use super::{
    descriptor::{Step, UpcasterDescriptor},
    descriptor_size,
};
use crate::{
    event_log::{EventType, SchemaVersion},
    read_model::Identifier,
};

impl UpcasterDescriptor {
    /// Checks the steps: there is at least one, each leads to a later version, no two begin at the same version of a type, and
    /// the steps of a type make one chain, in which each step ends where another begins or at the newest version.
    ///
    /// # Errors
    /// A message for everything that is wrong with them.
    pub fn check(&self) -> Result<(), Vec<String>> {
        descriptor_size::check_upcaster(self).map_err(|reason| vec![reason])?;
        let mut reasons = Vec::new();
        if self.steps.is_empty() {
            reasons.push(format!("steps: {}; 1 to {MAX_STEPS} are allowed", self.steps.len()));
        }
        let mut types: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
        for step in &self.steps {
            if let Err(error) = EventType::new(&step.event_type) {
                reasons.push(error.to_string());
            }
            if step.to <= step.from {
                reasons.push(format!("step {step}: a step must lead to a later schema version"));
            }
            reasons.extend(check_produces(step));
            types.entry(&step.event_type).or_default().push(step);
        }
        for steps in types.values_mut() {
            steps.sort_by_key(|step| (step.from, step.to));
            check_chain(steps, &mut reasons);
        }
        reasons.extend(self.sdk.check());
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}

/// Checks the types that come out of a step. None may: a step can remove every event.
fn check_produces(step: &Step) -> Vec<String> {
    let mut reasons = Vec::new();
    if step.produces.len() > MAX_WANTED {
        reasons
            .push(format!("step {step}: it produces {} types; at most {MAX_WANTED} are allowed", step.produces.len()));
    }
    let mut types = HashSet::new();
    for event_type in &step.produces {
        if let Err(error) = EventType::new(event_type) {
            reasons.push(format!("step {step}: it produces: {error}"));
        }
        if !types.insert(event_type) {
            reasons.push(format!("step {step}: it produces `{event_type}` twice"));
        }
    }
    reasons
}

/// Checks the steps of one type, in the order of the versions where they begin.
fn check_chain(steps: &[&Step], reasons: &mut Vec<String>) {
    for pair in steps.windows(2) {
        if pair[0].from == pair[1].from {
            reasons.push(format!("steps {} and {}: both begin at schema version {}", pair[0], pair[1], pair[0].from));
        }
    }
    let Some(newest) = steps.iter().map(|step| step.to).max() else { return };
    for step in steps {
        let continues = step.to == newest || steps.iter().any(|other| other.from == step.to);
        if !continues {
            reasons.push(format!(
                "step {step}: no step begins at schema version {}, although others lead to {newest}; add a step from {} to a \
                 later version",
                step.to, step.to
            ));
        }
    }
}

/// Why upcasters cannot be active together: several have a step that begins at the same schema version of the same type. Empty
/// if they can.
#[must_use]
pub fn conflicts(upcasters: &[(&Identifier, &UpcasterDescriptor)]) -> Vec<String> {
    let mut taken: HashMap<(&str, SchemaVersion), &Identifier> = HashMap::new();
    let mut conflicts = Vec::new();
    for (name, descriptor) in upcasters {
        for step in &descriptor.steps {
            match taken.insert((&step.event_type, step.from), name) {
                Some(other) if other != *name => conflicts.push(format!(
                    "upcasters `{other}` and `{name}` both rewrite `{}` from schema version {}",
                    step.event_type, step.from
                )),
                _ => {}
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Sdk;

    fn step(event_type: &str, from: u32, to: u32, produces: &[&str]) -> Step {
        let version = |number: u32| SchemaVersion::try_from(number).unwrap();
        let produces = produces.iter().map(|&produced| produced.to_owned()).collect();
        Step { event_type: event_type.to_owned(), from: version(from), to: version(to), produces }
    }

    fn upcaster(steps: &[(&str, u32, u32)]) -> UpcasterDescriptor {
        let steps = steps.iter().map(|(event_type, from, to)| step(event_type, *from, *to, &[event_type]));
        UpcasterDescriptor { sdk: Sdk::of_tests(), steps: steps.collect() }
    }

    fn reasons(steps: &[(&str, u32, u32)]) -> Vec<String> {
        upcaster(steps).check().err().unwrap_or_default()
    }

    #[test]
    fn chains_of_any_length_pass() {
        assert_eq!(reasons(&[("A", 1, 2)]), [""; 0]);
        assert_eq!(reasons(&[("A", 3, 4), ("A", 1, 2), ("B", 7, 9), ("A", 2, 3)]), [""; 0]);
        // Two old versions are each rewritten to the newest in one step.
        assert_eq!(reasons(&[("A", 1, 3), ("A", 2, 3)]), [""; 0]);
    }

    #[test]
    fn steps_that_do_not_lead_to_a_later_version_are_refused() {
        assert_eq!(reasons(&[]), ["steps: 0; 1 to 1000 are allowed"]);
        let later = "a step must lead to a later schema version";
        assert_eq!(reasons(&[("A", 2, 2)]), [format!("step `A` 2 → 2: {later}")]);
        assert_eq!(reasons(&[("A", 1, 2), ("A", 2, 1)]), [format!("step `A` 2 → 1: {later}")]);
        let empty = "the event type must not be empty";
        assert_eq!(reasons(&[("", 1, 2)]), [empty.to_owned(), format!("step `` 1 → 2: it produces: {empty}")]);
    }

    #[test]
    fn types_that_no_event_has_cannot_come_out_of_a_step() {
        let produces = |types: &[&str]| check_produces(&step("A", 1, 2, types));
        assert_eq!(produces(&["A", "B"]), [""; 0]);
        assert_eq!(produces(&[]), [""; 0]);
        assert_eq!(
            produces(&["B", "", "B"]),
            ["step `A` 1 → 2: it produces: the event type must not be empty", "step `A` 1 → 2: it produces `B` twice"]
        );
        let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(produces(&many), ["step `A` 1 → 2: it produces 1001 types; at most 1000 are allowed"]);
        assert_eq!(produces(&many[1..]), [""; 0]);
    }

    #[test]
    fn a_gap_is_named() {
        assert_eq!(
            reasons(&[("A", 1, 2), ("A", 3, 4), ("B", 1, 2)]),
            [
                "step `A` 1 → 2: no step begins at schema version 2, although others lead to 4; add a step from 2 to a later \
              version"
            ]
        );
    }

    #[test]
    fn two_steps_from_one_version_are_refused() {
        assert_eq!(
            reasons(&[("A", 1, 2), ("A", 1, 2)]),
            ["steps `A` 1 → 2 and `A` 1 → 2: both begin at schema version 1"]
        );
        assert_eq!(reasons(&[("A", 1, 2), ("B", 1, 2)]), [""; 0]);
    }

    /// The compiler checks the same cases for the SDK: `guest-sdk/src/upcaster/step.rs`.
    #[test]
    fn the_rules_are_those_of_the_sdk() {
        let golden = include_str!("../../../guest-sdk/values/tests/golden/steps.tsv");
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let (verdict, steps) = line.split_once('\t').unwrap();
            let steps = steps.split_whitespace().map(|text| {
                let (event_type, versions) = text.split_once(':').unwrap();
                let (from, to) = versions.split_once('>').unwrap();
                let (to, produces) = to.split_once('=').unwrap_or((to, event_type));
                let produces: Vec<String> = if produces.is_empty() {
                    Vec::new()
                } else {
                    produces.split(',').map(|name| name.replace("\\n", "\n")).collect()
                };
                let produces: Vec<&str> = produces.iter().map(String::as_str).collect();
                step(&event_type.replace("\\n", "\n"), from.parse().unwrap(), to.parse().unwrap(), &produces)
            });
            let upcaster = UpcasterDescriptor { sdk: Sdk::of_tests(), steps: steps.collect() };
            assert_eq!(upcaster.check().is_ok(), verdict == "ok", "{line}");
        }
    }

    #[test]
    fn upcasters_that_rewrite_the_same_events_conflict() {
        let (left, right) = (Identifier::new("left").unwrap(), Identifier::new("right").unwrap());
        let one = upcaster(&[("A", 1, 2), ("B", 1, 2)]);
        let two = upcaster(&[("A", 2, 3), ("B", 1, 3)]);
        assert_eq!(
            conflicts(&[(&left, &one), (&right, &two)]),
            ["upcasters `left` and `right` both rewrite `B` from schema version 1"]
        );
        let later = upcaster(&[("A", 2, 3), ("B", 2, 3)]);
        assert_eq!(conflicts(&[(&left, &one), (&right, &later)]), [""; 0]);
    }
}
