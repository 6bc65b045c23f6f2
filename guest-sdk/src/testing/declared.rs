//! Checks the declarations of a module as a host does when it is uploaded.

use std::env;

use gnomon_values::{declaration, names, projection, reactor, wanted::Wanted};

use crate::{
    Events, Projection, Reactor, Tables,
    schema::{IndexKind, TableSchema},
};

/// # Panics
/// A host would refuse the module.
#[track_caller]
pub(super) fn check_projection<P: Projection>() {
    let schemas = P::Tables::schemas();
    let declared = projection::Projection {
        // It is known to the crate that exports the projection.
        description: None,
        tables: schemas.iter().map(table).collect(),
        wanted: wanted::<P::Event>(P::CATEGORIES, P::TAGS),
    };
    accept(&projection::check(&module_name(), &declared));
}

/// # Panics
/// A host would refuse the module.
#[track_caller]
pub(super) fn check_reactor<R: Reactor>() {
    let schemas = R::Tables::schemas();
    let declared = reactor::Reactor {
        description: None,
        tables: schemas.iter().map(table).collect(),
        wanted: wanted::<R::Event>(R::CATEGORIES, R::TAGS),
        sinks: R::SINKS.to_vec(),
    };
    accept(&reactor::check(&declared));
}

fn wanted<E: Events>(categories: &'static [&'static str], tags: &'static [&'static str]) -> Wanted<'static> {
    Wanted {
        all_types: E::ALL_TYPES,
        event_types: E::WANTED.iter().map(|wanted| (wanted.event_type, wanted.schema_version)).collect(),
        categories: categories.to_vec(),
        tags: tags.to_vec(),
    }
}

#[track_caller]
fn accept(reasons: &[String]) {
    assert!(reasons.is_empty(), "a host refuses to upload this module:\n  {}", reasons.join("\n  "));
}

/// The default name of the module in `gnomon deploy`: that of the package, which cargo sets for tests.
pub(super) fn module_name() -> String {
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default().replace('-', "_");
    if names::check(&package).is_ok() { package } else { String::new() }
}

fn table(schema: &TableSchema) -> declaration::Table<'_> {
    let columns = schema.columns.iter().map(|column| declaration::Column {
        name: column.name,
        description: column.description,
        column_type: column.column_type,
        nullable: column.nullable,
    });
    let indexes = schema.indexes.iter().map(|index| declaration::Index {
        name: index.name,
        kind: match index.kind {
            IndexKind::Btree(columns) => declaration::IndexKind::Btree(columns.to_vec()),
            IndexKind::Gin(columns) => declaration::IndexKind::Gin(columns.to_vec()),
            IndexKind::FullText { language, columns } => declaration::IndexKind::FullText {
                language,
                columns: columns.iter().map(|(column, _)| *column).collect(),
            },
        },
    });
    let references = schema
        .references
        .iter()
        .map(|reference| declaration::Reference { columns: reference.columns.to_vec(), table: reference.table });
    declaration::Table {
        name: schema.name,
        description: schema.description,
        columns: columns.collect(),
        key: schema.key.to_vec(),
        indexes: indexes.collect(),
        references: references.collect(),
    }
}
