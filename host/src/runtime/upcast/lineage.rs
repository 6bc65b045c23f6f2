//! The events that an event of the log becomes in a chain.

use std::borrow::Cow;

use bytestring::ByteString;

use crate::{
    event_log::Position,
    runtime::{delivery::Delivery, worlds::answer::Upcasted},
};

/// The events that an event of the log has become so far.
pub(super) struct Lineage<'e> {
    pub(super) position: Position,
    pub(super) members: Vec<Member<'e>>,
}

/// One of the events that an event has become.
pub(super) struct Member<'e> {
    pub(super) event: Cow<'e, Delivery>,
    /// The index of the step that it takes next; `None` if no step continues.
    pub(super) next: Option<usize>,
    /// The indexes of the steps that led to it.
    pub(super) taken: Vec<usize>,
}

impl<'e> Lineage<'e> {
    /// The lineage of an event that takes `step` first.
    pub(super) fn of(event: &'e Delivery, step: usize) -> Self {
        let original = Member { event: Cow::Borrowed(event), next: Some(step), taken: Vec::new() };
        Self { position: event.position, members: vec![original] }
    }

    /// Whether a member has a step left to take.
    pub(super) fn is_unfinished(&self) -> bool {
        self.members.iter().any(|member| member.next.is_some())
    }

    /// Numbers the members in their order.
    pub(super) fn number(&mut self) {
        for (part, member) in (0..).zip(&mut self.members) {
            member.event.to_mut().part = part;
        }
    }

    pub(super) fn into_events(self) -> Vec<Delivery> {
        self.members.into_iter().map(|member| member.event.into_owned()).collect()
    }
}

impl Member<'_> {
    /// An event that an upcaster made of it.
    pub(super) fn child<'e>(&self, made: Upcasted, next: Option<usize>, taken: &[usize]) -> Member<'e> {
        let Upcasted { event_type, schema_version, data, metadata, tags } = made;
        let Delivery { position, part, ref stream, version, id, time, recorded_at, .. } = *self.event;
        let stream = stream.clone();
        let event = Delivery {
            position,
            part,
            stream,
            version,
            id,
            event_type: event_type.into(),
            schema_version,
            data: data.into(),
            metadata: metadata.map(ByteString::from),
            time,
            recorded_at,
            tags: tags.into_iter().map(ByteString::from).collect(),
        };
        Member { event: Cow::Owned(event), next, taken: taken.to_vec() }
    }
}
