//! Read models.

use crate::{
    api,
    builds::{ReadModelSummary, TableSummary},
    http::forwarded_prefix::ForwardedPrefix,
};

/// A read model, with paths as the client of the current request has to write them.
pub(in crate::http) fn read_model(summary: ReadModelSummary) -> api::ReadModel {
    let ReadModelSummary { projection, description, active, tables } = summary;
    let prefix = ForwardedPrefix::current();
    let this = prefix.path(&format!("/v1/read-models/{projection}"));
    let table = |TableSummary { table, view }: TableSummary| api::ReadModelTable {
        links: api::TableLinks { rows: format!("{this}/{}", table.name) },
        view: format!("read_models.{view}"),
        table: table.into(),
    };
    api::ReadModel {
        description,
        tables: tables.into_iter().map(table).collect(),
        active_build: active.map(|active| active.build.into()),
        active_version: active.map(|active| active.version.0),
        state: active.map(|active| active.state.into()),
        position: active.map(|active| active.checkpoint.0),
        links: api::ReadModelLinks { projection: prefix.path(&format!("/v1/projections/{projection}")), this },
        projection: projection.into(),
    }
}
