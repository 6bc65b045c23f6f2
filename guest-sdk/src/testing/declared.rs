//! Checks the declarations of a projection as a host does when the module is uploaded.

use std::env;

use gnomon_values::{declaration, names, projection};

use crate::{
    Events, Projection, Tables,
    schema::{IndexKind, TableSchema},
};

/// # Panics
/// A host would refuse the module.
#[track_caller]
pub(super) fn check<P: Projection>() {
    let schemas = P::Tables::schemas();
    let declared = projection::Projection {
        // It is known to the crate that exports the projection.
        description: None,
        tables: schemas.iter().map(table).collect(),
        all_types: P::Event::ALL_TYPES,
        event_types: P::Event::WANTED.iter().map(|wanted| (wanted.event_type, wanted.schema_version)).collect(),
        categories: P::CATEGORIES.to_vec(),
        tags: P::TAGS.to_vec(),
    };
    let reasons = projection::check(&module_name(), &declared);
    assert!(reasons.is_empty(), "a host refuses to upload this projection:\n  {}", reasons.join("\n  "));
}

/// The default name of the module in `gnomon deploy`: that of the package, which cargo sets for tests.
fn module_name() -> String {
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
