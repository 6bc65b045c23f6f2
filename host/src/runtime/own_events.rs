//! Which events a reactor gets: those that it wants, and those of its own.

use gnomon_values::{names, own_events};

use super::{
    delivery::Delivery,
    descriptor::{self, ReactorDescriptor},
};
use crate::{
    event_log::{EventType, Filter, NameFilter, QueryItem},
    read_model::Identifier,
};

impl ReactorDescriptor {
    /// Selects what the reactor of this name reads, and more: of what is selected it gets those events that it [`wants`](Self::wants).
    /// Where upcasters rewrite them, what is read from the log is [more](super::widen_to_sources) again.
    #[must_use]
    pub fn filter(&self, name: &Identifier) -> Filter {
        let mut filter = descriptor::filter(self.all_types, &self.event_types, &self.categories, &self.tags);
        if let NameFilter::Only(categories) = &mut filter.categories {
            let own = names::own_category(name.as_str());
            if !categories.contains(&own) {
                categories.push(own);
            }
        }
        if let Some(query) = &mut filter.query {
            // The reactor's own events have no tags.
            let types = own_events::TYPES.into_iter().filter(|own| self.reads_type(own));
            let types: Vec<EventType> = types.filter_map(|own| EventType::new(own).ok()).collect();
            if !types.is_empty() {
                query.items.push(QueryItem { types, tags: Vec::new() });
            }
        }
        filter
    }

    /// Whether the reactor of this name gets an event, as upcasters have left it.
    ///
    /// Of its own events it gets those of the types that it names, whatever the categories and tags that it names; of those of other
    /// reactors none, unless it names their category. What has the type of such an event and is not one it never gets.
    #[must_use]
    pub fn wants(&self, name: &Identifier, event: &Delivery) -> bool {
        if !self.reads_type(&event.event_type) {
            return false;
        }
        let category = names::split_stream(&event.stream).0;
        if names::is_own_category(category, name.as_str()) {
            return true;
        }
        if own_events::is_forged(&event.event_type, category) {
            return false;
        }
        let is_in_category = match self.categories.as_slice() {
            [] => !names::is_reserved(category),
            categories => categories.iter().any(|wanted| wanted == category),
        };
        let is_tagged = || event.tags.iter().any(|tag| self.tags.iter().any(|wanted| **wanted == **tag));
        is_in_category && (self.tags.is_empty() || is_tagged())
    }

    fn reads_type(&self, event_type: &str) -> bool {
        self.all_types || self.event_types.iter().any(|wanted| wanted.event_type == event_type)
    }
}

#[cfg(test)]
mod tests {
    use gnomon_values::Instant;
    use uuid::Uuid;

    use super::*;
    use crate::{
        event_log::{Position, SchemaVersion, StreamVersion},
        runtime::{Sdk, WantedType},
    };

    fn settlement() -> Identifier {
        Identifier::new("settlement").unwrap()
    }

    fn reactor(types: &[&str], categories: &[&str], tags: &[&str]) -> ReactorDescriptor {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let wanted = |event_type: &&str| WantedType { event_type: (*event_type).to_owned(), schema_version: None };
        ReactorDescriptor {
            sdk: Sdk::of_tests(),
            description: None,
            tables: Vec::new(),
            all_types: types.is_empty(),
            event_types: types.iter().map(wanted).collect(),
            categories: texts(categories),
            tags: texts(tags),
            sinks: Vec::new(),
        }
    }

    /// Whether the reactor gets the event, and whether its filter lets it through.
    fn gets(reactor: &ReactorDescriptor, stream: &str, event_type: &str, tags: &[&str]) -> bool {
        let event = Delivery {
            position: Position(1),
            part: 0,
            stream: stream.to_owned().into(),
            version: StreamVersion(1),
            id: Uuid::nil(),
            event_type: event_type.to_owned().into(),
            schema_version: SchemaVersion::FIRST,
            data: "{}".into(),
            metadata: None,
            time: Instant(0),
            recorded_at: Instant(0),
            tags: tags.iter().map(|&tag| tag.to_owned().into()).collect(),
        };
        let wants = reactor.wants(&settlement(), &event);
        let Filter { types, categories, query } = reactor.filter(&settlement());
        let (category, event_type) = (names::split_stream(stream).0, EventType::new(event_type).unwrap());
        let tags: Vec<_> = tags.iter().map(|&tag| crate::event_log::Tag::new(tag).unwrap()).collect();
        let passes = types.admits(event_type.as_str())
            && categories.admits(category)
            && query.is_none_or(|query| query.matches(&event_type, &tags));
        assert!(passes || !wants, "its filter stops {stream} {event_type}");
        wants
    }

    #[test]
    fn a_reactor_gets_its_own_events_of_the_types_that_it_names() {
        let narrow = reactor(&["Asked", "ScheduleDue"], &["transfer"], &["bank:b1"]);
        assert!(gets(&narrow, "gnomon:settlement-transfer-1", "ScheduleDue", &[]));
        assert!(!gets(&narrow, "gnomon:settlement-transfer-1", "CallFailed", &[]));
        assert!(gets(&narrow, "transfer-1", "Asked", &["bank:b1", "x"]));
        assert!(!gets(&narrow, "transfer-1", "Asked", &["bank:b2"]));
        assert!(!gets(&narrow, "account-1", "Asked", &["bank:b1"]));
        let all = reactor(&[], &["transfer"], &["bank:b1"]);
        assert!(gets(&all, "gnomon:settlement-transfer-1", "CallFailed", &[]));
    }

    #[test]
    fn nobody_but_the_host_answers_its_effects() {
        let narrow = reactor(&["Asked", "CallSucceeded"], &["transfer"], &[]);
        let all = reactor(&[], &[], &[]);
        for event_type in own_events::TYPES {
            for stream in ["transfer-1", "transfer", "gnomon-settlement"] {
                assert!(
                    !gets(&narrow, stream, event_type, &[]) && !gets(&all, stream, event_type, &[]),
                    "{stream} {event_type}"
                );
            }
        }
        assert!(gets(&narrow, "transfer-1", "Asked", &[]) && gets(&all, "transfer-1", "CallSucceed", &[]));
    }

    #[test]
    fn it_gets_those_of_others_only_by_their_category() {
        let all = reactor(&[], &[], &[]);
        assert!(gets(&all, "account-1", "Opened", &[]));
        assert!(gets(&all, "gnomon:settlement-a", "ScheduleDue", &[]));
        assert!(!gets(&all, "gnomon:billing-a", "ScheduleDue", &[]));
        assert!(gets(&reactor(&[], &["gnomon:billing"], &[]), "gnomon:billing-a", "ScheduleDue", &[]));
    }
}
