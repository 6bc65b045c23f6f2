//! What a module says of itself when it is uploaded.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    event_log::{Category, EventType, Filter, SchemaVersion},
    read_model::{Identifier, Table, TableDeclaration},
};

/// The answer to `describe`, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Descriptor {
    /// The module is a projection.
    Projection(ProjectionDescriptor),
    /// The module is an upcaster.
    Upcaster(UpcasterDescriptor),
}

/// The kinds of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleKind {
    /// Folds events into read models.
    Projection,
    /// Rewrites events of older schema versions.
    Upcaster,
}

impl std::fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ModuleKind {
    /// Its name, which is that of its world: `projection`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Upcaster => "upcaster",
        }
    }

    /// The kind that this one is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Projection => Self::Upcaster,
            Self::Upcaster => Self::Projection,
        }
    }

    /// As in a sentence: `a projection`.
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Projection => "a projection",
            Self::Upcaster => "an upcaster",
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
        }
    }
}

/// A projection's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectionDescriptor {
    /// The tables that it fills.
    pub tables: Vec<TableDeclaration>,
    /// Whether it wants events of every type, or those of `event_types` only.
    pub all_types: bool,
    /// The types of events that it knows.
    pub event_types: Vec<WantedType>,
    /// The categories of streams that it wants; none means all.
    pub categories: Vec<String>,
    /// What each row depends on, if the projection says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioned_by: Option<Partition>,
}

impl ProjectionDescriptor {
    /// The events that the projection wants.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let types = self.event_types.iter().map(|wanted| wanted.event_type.clone());
        Filter { types: if self.all_types { Vec::new() } else { types.collect() }, categories: self.categories.clone() }
    }
}

/// A type of event that a projection wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedType {
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that the projection reads, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
}

/// What each row of a projection depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    /// The events of one stream only.
    Stream,
}

/// An upcaster's descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpcasterDescriptor {
    /// The steps that it can take.
    pub steps: Vec<Step>,
}

/// A step of an upcaster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The type of event that it rewrites.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The schema version that it rewrites.
    pub from: u32,
    /// The schema version that comes out.
    pub to: u32,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {} → {}", self.event_type, self.from, self.to)
    }
}

/// Tables that a projection may declare.
const MAX_TABLES: usize = 32;
/// Event types and categories that a projection may name.
const MAX_WANTED: usize = 1000;

impl ProjectionDescriptor {
    /// Checks the descriptor of the projection `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it, in words.
    pub fn check(&self, name: &Identifier) -> Result<Vec<Arc<Table>>, Vec<String>> {
        let mut reasons = Vec::new();
        if self.tables.is_empty() || self.tables.len() > MAX_TABLES {
            reasons.push(format!("tables: {}; 1 to {MAX_TABLES} are allowed", self.tables.len()));
        }
        let mut names = HashSet::new();
        let mut tables = Vec::new();
        for declaration in &self.tables {
            if !names.insert(&declaration.name) {
                reasons.push(format!("table `{}` is declared twice", declaration.name));
            }
            match Table::check(declaration) {
                Ok(table) => {
                    if let Err(error) = view_name(name, table.name()) {
                        reasons.push(error);
                    }
                    tables.push(Arc::new(table));
                }
                Err(errors) => reasons.extend(errors.iter().map(ToString::to_string)),
            }
        }
        self.check_wanted(&mut reasons);
        if reasons.is_empty() { Ok(tables) } else { Err(reasons) }
    }

    fn check_wanted(&self, reasons: &mut Vec<String>) {
        if self.event_types.len() > MAX_WANTED || self.categories.len() > MAX_WANTED {
            reasons.push(format!(
                "event types: {}, categories: {}; at most {MAX_WANTED} of each are allowed",
                self.event_types.len(),
                self.categories.len()
            ));
        }
        if self.event_types.is_empty() && !self.all_types {
            reasons.push("it wants no type of event".to_owned());
        }
        let mut types = HashSet::new();
        for wanted in &self.event_types {
            if !types.insert(&wanted.event_type) {
                reasons.push(format!("event type `{}` is named twice", wanted.event_type));
            }
            if let Err(error) = EventType::new(&wanted.event_type) {
                reasons.push(error.to_string());
            }
            if let Some(Err(error)) = wanted.schema_version.map(SchemaVersion::try_from) {
                reasons.push(format!("event type `{}`: {error}", wanted.event_type));
            }
        }
        for category in &self.categories {
            if let Err(error) = Category::new(category) {
                reasons.push(error.to_string());
            }
        }
    }
}

/// The name of the view on a projection's table, `<projection>_<table>`.
///
/// # Errors
/// Postgres would cut the name short.
pub fn view_name(projection: &Identifier, table: &Identifier) -> Result<Identifier, String> {
    Identifier::new(format!("{projection}_{table}"))
        .map_err(|error| format!("table `{table}`: its view in schema read_models: {error}"))
}
