//! The chain that events go through before a projection, or a reader, sees them.

use std::fmt::Debug;

use hashbrown::HashMap;

use super::lineage::{Lineage, Member};
use crate::runtime::{
    delivery::Delivery,
    descriptor::{Step, UpcasterDescriptor},
    failure::{BatchError, FailureKind, module_failure},
    label::ModuleLabel,
    limits::RuntimeLimits,
    steps::conflicts,
    worlds::{
        answer::Upcasted,
        upcaster::{UpcasterInstance, UpcasterModule},
    },
};

/// Upcasters that are active together, and the instances that they have now.
///
/// An event takes step after step, of whichever upcaster has one for its type and schema version, until there is none. What
/// the chain makes of an event is a function of that event and the upcasters' code.
#[derive(Debug)]
pub struct UpcasterChain {
    links: Vec<Box<dyn Link>>,
    /// All steps, each with the index of its upcaster among the links.
    steps: Vec<(Step, usize)>,
    /// The indexes of the steps of each type; of one type there are few.
    by_type: HashMap<String, Vec<usize>>,
    max_upcast_events: usize,
}

/// What takes the steps of one upcaster.
pub(super) trait Link: Debug + Send {
    fn label(&self) -> &ModuleLabel;

    fn descriptor(&self) -> &UpcasterDescriptor;

    /// As [`UpcasterInstance::upcast`]: the answer has been checked.
    fn take_step(&mut self, events: &[&Delivery]) -> Result<Vec<Vec<Upcasted>>, BatchError>;
}

/// Upcasters that cannot be active together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these upcasters cannot be active together: {}", reasons.join("; "))]
pub struct UpcasterConflict {
    /// What is in the way.
    pub reasons: Vec<String>,
}

/// Why events were not upcasted, and by which upcaster. Whose fault it is, the [`BatchError`] says.
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
    /// Two of them have a step for the same events; [`conflicts`] tells that beforehand.
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

    /// The types that the chain rewrites. Of which types the events are that come out, no upcaster declares.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        self.by_type.keys().map(String::as_str)
    }

    /// Brings events, as they are in the log and in its order, to where no step goes on. What an event becomes stands in its
    /// place, with its position and `part` 0, 1, 2 …; an event that no step is for is not touched, and costs a look into a
    /// table. Blocks: it computes.
    ///
    /// # Errors
    /// An upcaster failed; the events are what they were. If several cannot be upcasted, any of them may be the one that the
    /// failure names.
    pub fn upcast(&mut self, events: &mut Vec<Delivery>) -> Result<(), UpcastError> {
        let mut places = Vec::new();
        let mut lineages = Vec::new();
        for (place, event) in events.iter().enumerate() {
            if let Some(step) = self.step_for(&event.event_type, event.schema_version.get()) {
                places.push(place);
                lineages.push(Lineage::of(event, step));
            }
        }
        while lineages.iter().any(Lineage::is_under_way) {
            for link in 0..self.links.len() {
                self.pass(link, &mut lineages)?;
            }
        }
        let upcasted = lineages.into_iter().map(Lineage::into_events).collect();
        replace(events, places, upcasted);
        Ok(())
    }

    /// The step that begins at this version of this type.
    fn step_for(&self, event_type: &str, version: u32) -> Option<usize> {
        self.by_type.get(event_type)?.iter().copied().find(|&step| self.steps[step].0.from == version)
    }

    /// Lets an upcaster take one step with all events that are at the beginning of one of its own.
    fn pass(&mut self, link: usize, lineages: &mut [Lineage<'_>]) -> Result<(), UpcastError> {
        let members = lineages.iter().flat_map(|lineage| &lineage.members);
        let waiting: Vec<&Delivery> =
            members.filter(|member| self.takes(link, member).is_some()).map(|member| &*member.event).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let failed = |upcaster: &dyn Link, error| UpcastError { upcaster: upcaster.label().clone(), error };
        let upcaster = &mut *self.links[link];
        let answers = upcaster.take_step(&waiting).map_err(|error| failed(upcaster, error))?;
        let mut answers = answers.into_iter();
        for lineage in lineages {
            self.step_on(link, lineage, &mut answers).map_err(|message| {
                let failure = module_failure(lineage.position.0, FailureKind::BrokeContract, message, Vec::new());
                failed(&*self.links[link], failure)
            })?;
        }
        Ok(())
    }

    /// The step that a member is to take next, if it is one of this upcaster.
    fn takes(&self, link: usize, member: &Member<'_>) -> Option<usize> {
        member.next.filter(|&next| self.steps[next].1 == link)
    }

    /// Puts what an upcaster made of the members of a lineage in their places.
    fn step_on(
        &self,
        link: usize,
        lineage: &mut Lineage<'_>,
        answers: &mut impl Iterator<Item = Vec<Upcasted>>,
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
            for made in answers.next().unwrap_or_default() {
                let next = self.step_for(&made.event_type, made.schema_version.get());
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

    /// Words for steps of which the last led to the beginning of the first.
    fn circle(&self, steps: &[usize]) -> String {
        let places = steps.iter().chain(steps.first()).map(|&step| &self.steps[step].0);
        let places: Vec<String> = places.map(|step| format!("`{}` {}", step.event_type, step.from)).collect();
        format!("it turns the event in a circle: {}", places.join(" → "))
    }
}

/// Puts events in the places of others.
fn replace(events: &mut Vec<Delivery>, places: Vec<usize>, by: Vec<Vec<Delivery>>) {
    let mut by = places.into_iter().zip(by).peekable();
    if by.peek().is_none() {
        return;
    }
    let before = std::mem::take(events);
    events.reserve(before.len());
    for (place, event) in before.into_iter().enumerate() {
        match by.next_if(|(other, _)| *other == place) {
            Some((_, made)) => events.extend(made),
            None => events.push(event),
        }
    }
}

/// An upcaster at work.
#[derive(Debug)]
struct RunningUpcaster {
    module: UpcasterModule,
    /// Kept from batch to batch as long as all goes well.
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
        let answer = instance.upcast(events)?;
        // Only memory that has seen nothing fail is used again.
        self.instance = Some(instance);
        Ok(answer)
    }
}
