//! Do the steps of an upcaster lead anywhere, and do those of several fit together?
//!
//! A step leads to a later schema version of its type, so declared steps cannot go in a circle, whichever upcasters are active
//! together. An event that changes its type on the way can; the [chain](super::upcast) finds that out.

use std::collections::{BTreeMap, HashMap};

use gnomon_values::limits::MAX_STEPS;

use super::descriptor::{Step, UpcasterDescriptor};
use crate::{
    event_log::{EventType, SchemaVersion},
    read_model::Identifier,
};

impl UpcasterDescriptor {
    /// Checks the steps: there are some, each leads to a later version, no two begin at the same, and those of a type make
    /// one chain, in which each step ends where another begins or at the newest version of all.
    ///
    /// # Errors
    /// Everything that is wrong with them, in words.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            reasons.push(format!("steps: {}; 1 to {MAX_STEPS} are allowed", self.steps.len()));
        }
        let mut types: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
        for step in &self.steps {
            if let Err(error) = EventType::new(&step.event_type) {
                reasons.push(error.to_string());
            }
            for version in [step.from, step.to] {
                if let Err(error) = SchemaVersion::try_from(version) {
                    reasons.push(format!("step {step}: {error}"));
                }
            }
            if step.to <= step.from {
                reasons.push(format!(
                    "step {step}: a step leads to a later schema version; one that leads back, or nowhere, would go in a \
                     circle"
                ));
            }
            types.entry(&step.event_type).or_default().push(step);
        }
        for steps in types.values_mut() {
            steps.sort_by_key(|step| (step.from, step.to));
            check_chain(steps, &mut reasons);
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}

/// Checks the steps of one type, in the order of the versions where they begin.
fn check_chain(steps: &[&Step], reasons: &mut Vec<String>) {
    for pair in steps.windows(2) {
        if pair[0].from == pair[1].from {
            reasons.push(format!("steps {} and {}: both begin at schema version {}", pair[0], pair[1], pair[0].from));
        }
    }
    let newest = steps.iter().map(|step| step.to).max().unwrap_or_default();
    for step in steps {
        let goes_on = step.to == newest || steps.iter().any(|other| other.from == step.to);
        if !goes_on {
            reasons.push(format!(
                "step {step}: there is a gap behind it: no step begins at schema version {}, though others lead to {newest}",
                step.to
            ));
        }
    }
}

/// What keeps upcasters from being active together: steps of several that begin at the same schema version of the same type.
/// Nothing where they fit.
#[must_use]
pub fn conflicts(upcasters: &[(&Identifier, &UpcasterDescriptor)]) -> Vec<String> {
    let mut taken: HashMap<(&str, u32), &Identifier> = HashMap::new();
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

    fn upcaster(steps: &[(&str, u32, u32)]) -> UpcasterDescriptor {
        let step = |(event_type, from, to): &(&str, u32, u32)| Step {
            event_type: (*event_type).to_owned(),
            from: *from,
            to: *to,
        };
        UpcasterDescriptor { steps: steps.iter().map(step).collect() }
    }

    fn reasons(steps: &[(&str, u32, u32)]) -> Vec<String> {
        upcaster(steps).check().err().unwrap_or_default()
    }

    #[test]
    fn chains_of_any_length_pass() {
        assert_eq!(reasons(&[("A", 1, 2)]), [""; 0]);
        assert_eq!(reasons(&[("A", 3, 4), ("A", 1, 2), ("B", 7, 9), ("A", 2, 3)]), [""; 0]);
        // Both old shapes are brought to the newest at once.
        assert_eq!(reasons(&[("A", 1, 3), ("A", 2, 3)]), [""; 0]);
    }

    #[test]
    fn steps_that_lead_nowhere_are_refused() {
        assert_eq!(reasons(&[]), ["steps: 0; 1 to 1000 are allowed"]);
        let circle = "a step leads to a later schema version; one that leads back, or nowhere, would go in a circle";
        assert_eq!(reasons(&[("A", 2, 2)]), [format!("step `A` 2 → 2: {circle}")]);
        assert_eq!(reasons(&[("A", 1, 2), ("A", 2, 1)]), [format!("step `A` 2 → 1: {circle}")]);
        assert!(reasons(&[("A", 0, 1)])[0].contains("the schema version 0 is not between 1 and"));
        assert_eq!(reasons(&[("", 1, 2)]), ["the event type must not be empty"]);
    }

    #[test]
    fn a_gap_is_named() {
        assert_eq!(
            reasons(&[("A", 1, 2), ("A", 3, 4), ("B", 1, 2)]),
            ["step `A` 1 → 2: there is a gap behind it: no step begins at schema version 2, though others lead to 4"]
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

    #[test]
    fn upcasters_that_take_the_same_events_conflict() {
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
