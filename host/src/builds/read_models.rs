//! Read models as readers see them: the active build of each projection and its tables.

use sqlx::{PgPool, types::Json};

use super::{
    columns::StateColumns,
    number::BuildNumber,
    state::{BuildState, State},
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::sql_row,
    read_model::{Identifier, TableDeclaration},
    runtime::{Descriptor, view_name},
};

/// The read model of a projection.
#[derive(Clone, Debug)]
pub struct ReadModelSummary {
    /// The projection.
    pub projection: Identifier,
    /// What it is for, as the author of that build's version says.
    pub description: Option<String>,
    /// The build that queries read, or `None` before the first has caught up.
    pub active: Option<ActiveSummary>,
    /// The tables of that build, or of the newest one if none is active.
    pub tables: Vec<TableSummary>,
}

/// The build that queries read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveSummary {
    /// Its number.
    pub build: BuildNumber,
    /// The version of the projection that it materialises.
    pub version: ModuleVersion,
    /// Its state: active, or that it stopped.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
}

/// A table of a read model.
#[derive(Clone, Debug)]
pub struct TableSummary {
    /// Its columns, key and indexes.
    pub table: TableDeclaration,
    /// Its view in the schema `read_models`.
    pub view: Identifier,
}

struct ReadModelRow {
    name: Identifier,
    number: Option<BuildNumber>,
    version: Option<ModuleVersion>,
    state: StateColumns,
    checkpoint: Option<Position>,
    descriptor: Option<Json<Descriptor>>,
}

sql_row!(ReadModelRow { name, number, version, checkpoint, descriptor, ..state });

impl ReadModelRow {
    fn summary(self) -> Result<ReadModelSummary, sqlx::Error> {
        let Self { name: projection, number, version, state, checkpoint, descriptor } = self;
        let state: State = state.state()?;
        let active = match (number, version, checkpoint) {
            (Some(build), Some(version), Some(checkpoint)) if state.is_active() => {
                Some(ActiveSummary { build, version, state: state.into(), checkpoint })
            }
            _ => None,
        };
        let (description, tables) = match descriptor {
            Some(Json(Descriptor::Projection(descriptor))) => (descriptor.description, descriptor.tables),
            _ => (None, Vec::new()),
        };
        let with_view = |table: TableDeclaration| {
            let name = Identifier::new(table.name.clone()).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let view = view_name(&projection, &name).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok::<_, sqlx::Error>(TableSummary { table, view })
        };
        let tables = tables.into_iter().map(with_view).collect::<Result<_, _>>()?;
        Ok(ReadModelSummary { projection, description, active, tables })
    }
}

/// The read models of all projections by name, or of one.
pub(crate) async fn read_models(
    pool: &PgPool,
    name: Option<&Identifier>,
) -> Result<Vec<ReadModelSummary>, sqlx::Error> {
    let rows: Vec<ReadModelRow> = sqlx::query_as(
        "SELECT DISTINCT ON (name) name, number, build.version, stage, work, role, activation, checkpoint, descriptor
         FROM gnomon.projections
         LEFT JOIN gnomon.builds AS build ON build.projection = name AND verifies IS NULL AND stop_at IS NULL
         LEFT JOIN gnomon.subscriptions ON subscription = build
         LEFT JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
         WHERE $1::text IS NULL OR name = $1
         ORDER BY name, role = 'active' DESC NULLS LAST, build DESC",
    )
    .bind(name)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(ReadModelRow::summary).collect()
}
