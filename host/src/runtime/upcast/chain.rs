//! The chain of upcasters, which rewrites events before a projection or a reader sees them.

use std::fmt::Debug;

use hashbrown::HashMap;

use super::lineage::{Lineage, Member};
use crate::{
    event_log::SchemaVersion,
    runtime::{
        delivery::Delivery,
        descriptor::{Step, UpcasterDescriptor},
        failure::{BatchError, FailureKind, Fault},
        label::ModuleLabel,
        limits::RuntimeLimits,
        steps::conflicts,
        worlds::{
            answer::Upcasted,
            upcaster::{UpcasterInstance, UpcasterModule},
        },
    },
};

/// Upcasters that are active together, with their instances.
///
/// An event takes step after step, of any upcaster that has one for its type and schema version, until no step continues. The
/// result is a function of the event and the upcasters' code.
#[derive(Debug)]
pub struct UpcasterChain {
    links: Vec<Box<dyn Link>>,
    /// All steps, each with the index of its upcaster in `links`.
    steps: Vec<(Step, usize)>,
    /// The indexes of the steps of each type; a type has few.
    by_type: HashMap<String, Vec<usize>>,
    max_upcast_events: usize,
}

/// Takes the steps of one upcaster.
pub(super) trait Link: Debug + Send {
    fn label(&self) -> &ModuleLabel;

    fn descriptor(&self) -> &UpcasterDescriptor;

    /// As [`UpcasterInstance::upcast`]: the result is checked.
    fn take_step(&mut self, events: &[&Delivery]) -> Result<Vec<Vec<Upcasted>>, BatchError>;

    /// Drops the instance that is kept for the next call.
    fn free_memory(&mut self) {}
}

/// Upcasters that cannot be active together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these upcasters cannot be active together: {}", reasons.join("; "))]
pub struct UpcasterConflict {
    /// Each conflict between two of them.
    pub reasons: Vec<String>,
}

/// Why events were not upcasted, and by which upcaster. The [`BatchError`] says whose fault it is.
#[derive(Debug, thiserror::Error)]
#[error("upcaster {upcaster}: {error}")]
pub struct UpcastError {
    /// The upcaster that failed.
    pub upcaster: ModuleLabel,
    /// What went wrong; a failure of the module names the event.
    pub error: BatchError,
}

impl UpcasterChain {
    /// The chain of these upcasters, in any order.
    ///
    /// # Errors
    /// Two of them have a step for the same events; [`conflicts`] detects that beforehand.
    pub fn new(
        upcasters: impl IntoIterator<Item = UpcasterModule>,
        limits: &RuntimeLimits,
    ) -> Result<Self, UpcasterConflict> {
        let link = |module| -> Box<dyn Link> { Box::new(RunningUpcaster { module, instance: None }) };
        Self::of(upcasters.into_iter().map(link).collect(), limits.max_upcast_events)
    }

    pub(super) fn of(links: Vec<Box<dyn Link>>, max_upcast_events: usize) -> Result<Self, UpcasterConflict> {
        let declared: Vec<_> = links.iter().map(|link| (&link.label().name, link.descriptor())).collect();
        let reasons = conflicts(&declared);
        if !reasons.is_empty() {
            return Err(UpcasterConflict { reasons });
        }
        let mut steps = Vec::new();
        let mut by_type: HashMap<String, Vec<usize>> = HashMap::new();
        for (link, upcaster) in links.iter().enumerate() {
            for step in &upcaster.descriptor().steps {
                by_type.entry_ref(step.event_type.as_str()).or_default().push(steps.len());
                steps.push((step.clone(), link));
            }
        }
        Ok(Self { links, steps, by_type, max_upcast_events })
    }

    /// Drops the instances that are kept to make the next call faster.
    pub fn free_memory(&mut self) {
        self.links.iter_mut().for_each(|link| link.free_memory());
    }

    /// All steps of its upcasters.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().map(|(step, _)| step)
    }

    /// Rewrites events, given in the order of the log, until no step continues. The results of an event replace it, with its
    /// position and `part` 0, 1, 2 …; an event without a step stays as it is and costs one lookup. Blocks: it computes.
    ///
    /// # Errors
    /// An upcaster failed; the events are unchanged. If several cannot be upcasted, the failure names any of them.
    pub fn upcast(&mut self, events: &mut Vec<Delivery>) -> Result<(), UpcastError> {
        let mut indexes = Vec::new();
        let mut lineages = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if let Some(step) = self.step_for(&event.event_type, event.schema_version) {
                indexes.push(index);
                lineages.push(Lineage::of(event, step));
            }
        }
        while lineages.iter().any(Lineage::is_unfinished) {
            for link in 0..self.links.len() {
                self.take_steps_of(link, &mut lineages)?;
            }
        }
        let upcasted = lineages.into_iter().map(Lineage::into_events).collect();
        replace(events, indexes, upcasted);
        Ok(())
    }

    /// The index of the step that begins at this version of this type.
    fn step_for(&self, event_type: &str, version: SchemaVersion) -> Option<usize> {
        self.by_type.get(event_type)?.iter().copied().find(|&step| self.steps[step].0.from == version)
    }

    /// Lets one upcaster take one step with all events whose next step is its own.
    fn take_steps_of(&mut self, link: usize, lineages: &mut [Lineage<'_>]) -> Result<(), UpcastError> {
        let members = lineages.iter().flat_map(|lineage| &lineage.members);
        let waiting: Vec<&Delivery> =
            members.filter(|member| self.takes(link, member).is_some()).map(|member| &*member.event).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let failed = |upcaster: &dyn Link, error| UpcastError { upcaster: upcaster.label().clone(), error };
        let upcaster = &mut *self.links[link];
        let results = upcaster.take_step(&waiting).map_err(|error| failed(upcaster, error))?;
        let mut results = results.into_iter();
        for lineage in lineages {
            self.apply_results(link, lineage, &mut results).map_err(|message| {
                let fault = Fault::new(FailureKind::BrokeContract, &message, Vec::new());
                failed(&*self.links[link], fault.at(lineage.position))
            })?;
        }
        Ok(())
    }

    /// The step that a member takes next, if it is one of this upcaster.
    fn takes(&self, link: usize, member: &Member<'_>) -> Option<usize> {
        member.next.filter(|&next| self.steps[next].1 == link)
    }

    /// Replaces the members of a lineage by what an upcaster made of them.
    fn apply_results(
        &self,
        link: usize,
        lineage: &mut Lineage<'_>,
        results: &mut impl Iterator<Item = Vec<Upcasted>>,
    ) -> Result<(), String> {
        if !lineage.members.iter().any(|member| self.takes(link, member).is_some()) {
            return Ok(());
        }
        for member in std::mem::take(&mut lineage.members) {
            let Some(step) = self.takes(link, &member) else {
                lineage.members.push(member);
                continue;
            };
            let taken = [member.taken.as_slice(), &[step]].concat();
            for made in results.next().unwrap_or_default() {
                let next = self.step_for(&made.event_type, made.schema_version);
                if let Some(again) = next.and_then(|next| taken.iter().position(|&before| before == next)) {
                    return Err(self.circle(&taken[again..]));
                }
                lineage.members.push(member.child(made, next, &taken));
            }
        }
        let (found, max) = (lineage.members.len(), self.max_upcast_events);
        if found > max {
            return Err(format!("one event became {found}; the limit max_upcast_events is {max}"));
        }
        lineage.number();
        Ok(())
    }

    /// The message for steps of which the last leads back to the first.
    fn circle(&self, steps: &[usize]) -> String {
        let shapes = steps.iter().chain(steps.first()).map(|&step| &self.steps[step].0);
        let shapes: Vec<String> = shapes.map(|step| format!("`{}` {}", step.event_type, step.from)).collect();
        format!("the upcasters rewrite the event in a circle: {}", shapes.join(" → "))
    }
}

/// Replaces the events at these indexes, which are in ascending order.
fn replace(events: &mut Vec<Delivery>, indexes: Vec<usize>, by: Vec<Vec<Delivery>>) {
    let mut by = indexes.into_iter().zip(by).peekable();
    if by.peek().is_none() {
        return;
    }
    let before = std::mem::take(events);
    events.reserve(before.len());
    for (index, event) in before.into_iter().enumerate() {
        match by.next_if(|(other, _)| *other == index) {
            Some((_, made)) => events.extend(made),
            None => events.push(event),
        }
    }
}

/// An upcaster and its instance.
#[derive(Debug)]
struct RunningUpcaster {
    module: UpcasterModule,
    /// Kept from batch to batch until a call fails.
    instance: Option<UpcasterInstance>,
}

impl Link for RunningUpcaster {
    fn label(&self) -> &ModuleLabel {
        self.module.label()
    }

    fn descriptor(&self) -> &UpcasterDescriptor {
        self.module.descriptor()
    }

    fn take_step(&mut self, events: &[&Delivery]) -> Result<Vec<Vec<Upcasted>>, BatchError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(events[0].position)?,
        };
        let results = instance.upcast(events)?;
        // An instance whose call failed is not used again.
        self.instance = (!self.module.memory().is_short()).then_some(instance);
        Ok(results)
    }

    fn free_memory(&mut self) {
        self.instance = None;
    }
}
