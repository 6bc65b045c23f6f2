//! Descriptors: what a module declares when it is uploaded.

use gnomon_values::projection;
use serde::{Deserialize, Serialize};

use crate::{
    event_log::{EventQuery, Filter, NameFilter, QueryItem, SchemaVersion, Tag},
    read_model::{Identifier, TableDeclaration},
};

/// The answer to `describe`, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Descriptor {
    /// The module is a projection.
    Projection(ProjectionDescriptor),
    /// The module is an upcaster.
    Upcaster(UpcasterDescriptor),
    /// The module is a reactor.
    Reactor(ReactorDescriptor),
}

/// The kinds of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    /// Folds events into read models.
    Projection,
    /// Rewrites events of older schema versions.
    Upcaster,
    /// Answers events with effects.
    Reactor,
}

impl std::fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ModuleKind {
    /// The name of the kind and of its world: `projection`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Upcaster => "upcaster",
            Self::Reactor => "reactor",
        }
    }

    /// The name with its article, for messages: `a projection`.
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Projection => "a projection",
            Self::Upcaster => "an upcaster",
            Self::Reactor => "a reactor",
        }
    }
}

impl Descriptor {
    /// The kind of the module.
    #[must_use]
    pub fn kind(&self) -> ModuleKind {
        match self {
            Self::Projection(_) => ModuleKind::Projection,
            Self::Upcaster(_) => ModuleKind::Upcaster,
            Self::Reactor(_) => ModuleKind::Reactor,
        }
    }

    /// What the module was written with.
    #[must_use]
    pub fn sdk(&self) -> &Sdk {
        match self {
            Self::Projection(projection) => &projection.sdk,
            Self::Upcaster(upcaster) => &upcaster.sdk,
            Self::Reactor(reactor) => &reactor.sdk,
        }
    }
}

/// What a module was written with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdk {
    /// Such as `gnomon-sdk`.
    pub name: String,
    /// Such as `0.2.0`.
    pub version: String,
    /// The programming language.
    pub language: String,
}

impl Sdk {
    /// What descriptors in tests say.
    #[cfg(test)]
    pub(crate) fn of_tests() -> Self {
        Self { name: "gnomon-sdk".to_owned(), version: "0.2.0".to_owned(), language: "Rust".to_owned() }
    }

    /// Bytes of each of its texts.
    const MAX_BYTES: usize = 100;

    /// A message for each text that is too long, or has characters that cannot be shown.
    pub(super) fn check(&self) -> Vec<String> {
        let texts = [("name", &self.name), ("version", &self.version), ("language", &self.language)];
        let is_wrong = |text: &String| text.len() > Self::MAX_BYTES || text.chars().any(char::is_control);
        let wrong = texts.into_iter().filter(|(_, text)| is_wrong(text));
        wrong
            .map(|(what, _)| {
                format!("the {what} of its SDK has more than {} bytes, or control characters", Self::MAX_BYTES)
            })
            .collect()
    }
}

/// A projection's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// What the read model is for, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tables that it fills.
    pub tables: Vec<TableDeclaration>,
    /// Whether it reads events of every type, or only those of `event_types`.
    pub all_types: bool,
    /// The event types that it names.
    pub event_types: Vec<WantedType>,
    /// The categories of streams that it reads; all if the list is empty.
    pub categories: Vec<String>,
    /// Tags of which each event that it reads has one or more; events with any tags or none if the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What each row depends on, if the projection declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioned_by: Option<Partition>,
}

impl ProjectionDescriptor {
    /// Selects the events that the projection reads. Where upcasters rewrite them, what is read from the log is
    /// [more](super::widen_to_sources).
    #[must_use]
    pub fn filter(&self) -> Filter {
        filter(self.all_types, &self.event_types, &self.categories, &self.tags)
    }
}

/// Selects the events that a module wants.
pub(super) fn filter(all_types: bool, types: &[WantedType], categories: &[String], tags: &[String]) -> Filter {
    let types = match all_types {
        true => NameFilter::All,
        false => NameFilter::only(types.iter().map(|wanted| wanted.event_type.as_str())),
    };
    let categories = match categories {
        [] => NameFilter::All,
        categories => NameFilter::only(categories),
    };
    let item = |tag: &String| Some(QueryItem { types: Vec::new(), tags: vec![Tag::new(tag).ok()?] });
    // What cannot be a tag is on no event.
    let query = (!tags.is_empty()).then(|| EventQuery { items: tags.iter().filter_map(item).collect() });
    Filter { types, categories, query }
}

/// An event type that a module reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedType {
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that the module reads; any if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<SchemaVersion>,
}

/// What each row of a projection depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    /// The events of one stream only.
    Stream,
}

/// A reactor's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactorDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// What the reactor is for, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tables of its own rows.
    pub tables: Vec<TableDeclaration>,
    /// Whether it reads events of every type, or only those of `event_types`.
    pub all_types: bool,
    /// The event types that it names.
    pub event_types: Vec<WantedType>,
    /// The categories of streams that it reads; all but those of other reactors' own events if the list is empty.
    pub categories: Vec<String>,
    /// Tags of which each event that it reads has one or more; events with any tags or none if the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The names of the sinks that it publishes to or calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<String>,
}

/// An upcaster's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpcasterDescriptor {
    /// What it was written with.
    pub sdk: Sdk,
    /// The steps that it declares.
    pub steps: Vec<Step>,
}

/// A step of an upcaster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The type of event that it rewrites.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that it rewrites.
    pub from: SchemaVersion,
    /// The schema version that it produces.
    pub to: SchemaVersion,
    /// The types of the events that come out.
    pub produces: Vec<String>,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {} → {}", self.event_type, self.from, self.to)
    }
}

/// The name of the view on a projection's table, `<projection>_<table>`.
///
/// # Errors
/// The name is longer than a Postgres identifier can be.
pub fn view_name(projection: &Identifier, table: &Identifier) -> Result<Identifier, String> {
    Identifier::new(projection::view_name(projection.as_str(), table.as_str()))
        .map_err(|error| format!("table `{table}`: its view in schema read_models: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_tags_are_alternatives() {
        let projection = ProjectionDescriptor {
            sdk: Sdk::of_tests(),
            description: None,
            tables: Vec::new(),
            all_types: true,
            event_types: Vec::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            partitioned_by: None,
        };
        assert_eq!(projection.filter(), Filter::default());
        let tags = ["course:c1", "course:c2"].map(str::to_owned);
        let query = ProjectionDescriptor { tags: tags.to_vec(), ..projection }.filter().query;
        let item = |tag| QueryItem { types: Vec::new(), tags: vec![Tag::new(tag).unwrap()] };
        assert_eq!(query, Some(EventQuery { items: tags.map(item).to_vec() }));
    }
}
