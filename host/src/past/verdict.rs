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
    pub(crate) fn of(
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
pub(crate) fn passed_over(event: &RecordedEvent, filter: &Filter) -> Option<PassedOver> {
    let query = filter.query.as_ref();
    match () {
        () if !filter.types.admits(event.event_type.as_str()) => Some(PassedOver::Type),
        () if !filter.categories.admits(event.stream.category()) => Some(PassedOver::Category),
        () if query.is_some_and(|query| !query.matches(&event.event_type, &event.tags)) => Some(PassedOver::Tags),
        () => None,
    }
}

/// The events that the projection wants of those that came out of the upcasters.
pub(crate) fn wanted(made: &[Delivery], descriptor: &ProjectionDescriptor) -> Vec<Delivery> {
    let ProjectionDescriptor { all_types, event_types, tags, .. } = descriptor;
    let is_wanted = |event: &&Delivery| {
        (*all_types || event_types.iter().any(|wanted| *wanted.event_type == *event.event_type))
            && (tags.is_empty() || event.tags.iter().any(|tag| tags.iter().any(|wanted| **wanted == **tag)))
    };
    made.iter().filter(is_wanted).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{
            EventQuery, NameFilter, QueryItem, Tag,
            tests::{event, stream},
        },
        runtime::{FailureKind, ModuleFailure, Sdk, WantedType},
    };

    fn recorded(event_type: &str, tags: &[&str]) -> RecordedEvent {
        let (new, at) = (event(event_type), gnomon_values::Instant(0));
        RecordedEvent {
            position: Position(5),
            stream: stream("count-1"),
            version: 1.into(),
            id: new.id.uuid(),
            event_type: new.event_type,
            schema_version: new.schema_version,
            time: at,
            recorded_at: at,
            data: new.data,
            metadata: None,
            tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
            is_personal: false,
        }
    }

    fn failure(position: u64) -> ModuleFailure {
        let message = "no".to_owned();
        let position = Position(position);
        ModuleFailure { position, upcaster: None, kind: FailureKind::Refused, message, backtrace: Vec::new() }
    }

    #[test]
    fn where_an_event_stands_follows_from_checkpoint_error_and_dead_letter() {
        let letter = |error| DeadLetterSummary {
            position: Position(5),
            stream: "count-1".to_owned(),
            event_type: "Counted".to_owned(),
            parked: true,
            error,
            set_aside_at: gnomon_values::Instant(0),
        };
        let stopped_at = |position| BuildError::Module {
            failure: failure(position),
            stream: "count-1".to_owned(),
            event_type: "Counted".to_owned(),
        };
        let of = |checkpoint, letter: Option<&DeadLetterSummary>, error: Option<&BuildError>| {
            Status::of(Position(5), Position(checkpoint), letter, error)
        };
        assert_eq!([4, 5, 6].map(|at| of(at, None, None)), [Status::ToCome, Status::Handled, Status::Handled]);
        assert_eq!(of(4, None, Some(&stopped_at(5))), Status::StoppedAt);
        // At another event, or for another reason.
        assert_eq!(of(2, None, Some(&stopped_at(3))), Status::ToCome);
        assert_eq!(of(4, None, Some(&BuildError::Host { message: "a table is missing".to_owned() })), Status::ToCome);
        assert_eq!(of(9, Some(&letter(Some(failure(5)))), None), Status::SetAside);
        assert_eq!(of(9, Some(&letter(None)), None), Status::Waits);
    }

    #[test]
    fn what_a_build_passes_over_has_one_reason() {
        let item = QueryItem { types: Vec::new(), tags: vec![Tag::new("course:c1").unwrap()] };
        let filter = Filter {
            types: NameFilter::only(["Counted"]),
            categories: NameFilter::only(["count"]),
            query: Some(EventQuery { items: vec![item] }),
        };
        let of = |filter: &Filter, event_type, tags: &[&str]| passed_over(&recorded(event_type, tags), filter);
        assert_eq!(of(&filter, "Counted", &["course:c1"]), None);
        assert_eq!(of(&filter, "Other", &["course:c1"]), Some(PassedOver::Type));
        assert_eq!(of(&filter, "Counted", &["course:c2"]), Some(PassedOver::Tags));
        assert_eq!(of(&filter, "Counted", &[]), Some(PassedOver::Tags));
        let other = Filter { categories: NameFilter::only(["order"]), ..filter };
        assert_eq!(of(&other, "Counted", &[]), Some(PassedOver::Category));
        assert_eq!(of(&Filter::default(), "Counted", &[]), None);
    }

    #[test]
    fn of_what_upcasters_make_a_projection_wants_its_types_and_tags() {
        let made = [("Counted", &["course:c1"][..]), ("Counted", &[]), ("Other", &["course:c1"])]
            .map(|(event_type, tags)| Delivery::from(recorded(event_type, tags)));
        let names = |all_types, types: &[&str], tags: &[&str]| {
            let event_types =
                types.iter().map(|name| WantedType { event_type: (*name).to_owned(), schema_version: None }).collect();
            let descriptor = ProjectionDescriptor {
                sdk: Sdk::of_tests(),
                description: None,
                tables: Vec::new(),
                all_types,
                event_types,
                categories: Vec::new(),
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                partitioned_by: None,
            };
            wanted(&made, &descriptor).iter().map(|event| event.event_type.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(true, &[], &[]), ["Counted", "Counted", "Other"]);
        assert_eq!(names(false, &["Counted"], &[]), ["Counted", "Counted"]);
        assert_eq!(names(false, &["Counted"], &["course:c1", "course:c9"]), ["Counted"]);
        assert_eq!(names(true, &[], &["course:c1"]), ["Counted", "Other"]);
        assert_eq!(names(false, &["Nothing"], &[]), Vec::<String>::new());
    }
}
