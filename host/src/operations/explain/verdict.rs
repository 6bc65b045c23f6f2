//! Whether a build wants an event, and where the event stands in it.

use crate::{
    builds::BuildError,
    event_log::{Filter, Position, RecordedEvent},
    runtime::{Delivery, ProjectionDescriptor},
    subscriptions::DeadLetterSummary,
};

/// Where an event stands in a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The build does not want it.
    PassedOver(PassedOver),
    /// Its effect is in the rows.
    Handled,
    /// It lies behind the checkpoint: the build has not come to it.
    ToCome,
    /// The build has stopped at it.
    StoppedAt,
    /// It is set aside, since the module cannot handle it.
    SetAside,
    /// It is set aside, since an earlier event of its stream is.
    Waits,
}

/// Why a build does not want an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// It is of a type that the projection does not read, and from which no upcaster of the build makes one that it reads.
    Type,
    /// Its stream is of a category that the projection does not read.
    Category,
    /// It has none of the tags that the projection reads.
    Tags,
    /// The upcasters make no event of it that the projection reads.
    Upcasters,
}

impl Status {
    /// Where an event that a build reads stands in it.
    pub(super) fn of(
        position: Position,
        checkpoint: Position,
        dead_letter: Option<&DeadLetterSummary>,
        error: Option<&BuildError>,
    ) -> Self {
        let stopped_at =
            |error: &BuildError| matches!(error, BuildError::Module { failure, .. } if failure.position == position);
        match dead_letter {
            Some(letter) if letter.error.is_some() => Self::SetAside,
            Some(_) => Self::Waits,
            None if position <= checkpoint => Self::Handled,
            None if error.is_some_and(stopped_at) => Self::StoppedAt,
            None => Self::ToCome,
        }
    }
}

/// Why a build that reads what the filter lets through does not read an event; `None` if it does.
pub(super) fn passed_over(event: &RecordedEvent, filter: &Filter) -> Option<PassedOver> {
    let query = filter.query.as_ref();
    match () {
        () if !filter.types.admits(event.event_type.as_str()) => Some(PassedOver::Type),
        () if !filter.categories.admits(event.stream.category()) => Some(PassedOver::Category),
        () if query.is_some_and(|query| !query.matches(&event.event_type, &event.tags)) => Some(PassedOver::Tags),
        () => None,
    }
}

/// The events that the projection wants of those that came out of the upcasters.
pub(super) fn wanted(made: &[Delivery], descriptor: &ProjectionDescriptor) -> Vec<Delivery> {
    let ProjectionDescriptor { all_types, event_types, tags, .. } = descriptor;
    let is_wanted = |event: &&Delivery| {
        (*all_types || event_types.iter().any(|wanted| *wanted.event_type == *event.event_type))
            && (tags.is_empty() || event.tags.iter().any(|tag| tags.iter().any(|wanted| **wanted == **tag)))
    };
    made.iter().filter(is_wanted).cloned().collect()
}
