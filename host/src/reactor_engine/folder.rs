//! What runs the module of a reactor.

use super::effects::{Answered, Carried, Carrier};
use crate::{
    folding::{BatchFolder, BatchRows, Made},
    runtime::{BatchError, Delivery, EffectsOf, HostMemory, Reaction, ReactorInstance, ReactorModule, numbered},
    telemetry::TraceContext,
};

/// The instance of a reactor's module, which is kept from batch to batch as long as no event fails.
#[derive(Debug)]
pub(crate) struct ReactorFolder {
    module: ReactorModule,
    instance: Option<ReactorInstance>,
    carrier: Carrier,
}

impl ReactorFolder {
    pub(crate) fn new(module: ReactorModule, carrier: Carrier) -> Self {
        Self { module, instance: None, carrier }
    }
}

impl BatchFolder for ReactorFolder {
    type Answer = Carried;

    /// What reads its own events reads those of others.
    const READS_MORE: bool = true;

    fn wants(&self, event: &Delivery) -> bool {
        self.module.descriptor().wants(&self.carrier.reactor().name, event)
    }

    fn run(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Carried>, BatchError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.module.instantiate(events[0].position)?,
        };
        let Reaction { writes, effects } = instance.react(events, Box::new(rows))?;
        let carried = carry(&self.carrier, events, &effects)?;
        // Only an instance in whose memory no event has failed is used again, and none whose memory others wait for.
        self.instance = (!self.module.memory().is_short()).then_some(instance);
        Ok((writes, carried))
    }

    fn run_alone(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Carried>, BatchError> {
        self.run(events, rows)
    }

    fn free_memory(&mut self) {
        self.instance = None;
    }

    fn memory(&self) -> &HostMemory {
        self.module.memory()
    }
}

/// What is carried out for the effects of events.
fn carry(carrier: &Carrier, events: &[&Delivery], effects: &[EffectsOf]) -> Result<Vec<Carried>, BatchError> {
    let mut carried = Vec::with_capacity(effects.len());
    let mut events = events.iter();
    let mut answered: Option<(&Delivery, Answered)> = None;
    for numbered in numbered(effects) {
        // Both are in the order of positions, and each effect answers one of the events.
        if answered.as_ref().is_none_or(|(event, _)| event.position != numbered.position) {
            let event = events.find(|event| event.position == numbered.position);
            answered = event.map(|event| {
                let trace = event.metadata.as_deref().and_then(TraceContext::of_metadata);
                (*event, Answered { stream: event.stream.clone(), time: event.time, trace })
            });
        }
        if let Some((_, answered)) = &answered {
            carried.push(carrier.carry(numbered, answered)?);
        }
    }
    Ok(carried)
}
