//! Read models: what there is to read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{descriptor::TableDescriptor, projection::BuildState};

/// The answer of `GET /v1/read-models`, by projection.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReadModels {
    /// The read models.
    pub read_models: Vec<ReadModel>,
}

/// The read model of a projection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReadModel {
    /// The projection.
    pub projection: String,
    /// What it is for, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The build that queries read; null before the first has caught up.
    #[schema(required)]
    pub active_build: Option<u64>,
    /// The version of that build.
    #[schema(required)]
    pub active_version: Option<u32>,
    /// The state of that build: `active`, or that it stopped and answers with what it has.
    #[schema(required)]
    pub state: Option<BuildState>,
    /// The position up to which it holds the effect of every event.
    #[schema(required)]
    pub position: Option<u64>,
    /// The tables of that build, or of the newest one if none is active.
    pub tables: Vec<ReadModelTable>,
    /// Where more of it is.
    pub links: ReadModelLinks,
}

/// A table of a read model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReadModelTable {
    /// Its name, columns, key and indexes.
    #[serde(flatten)]
    pub table: TableDescriptor,
    /// Its view in Postgres, with the schema.
    pub view: String,
    /// Where its rows are.
    pub links: TableLinks,
}

/// Paths on the host that belong to a read model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReadModelLinks {
    /// The read model itself.
    #[serde(rename = "self")]
    pub this: String,
    /// Its projection, with all builds.
    pub projection: String,
}

/// Paths on the host that belong to a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TableLinks {
    /// Its rows.
    pub rows: String,
}
