//! Checks the declarations of a projection as a host does when the module is uploaded.

use std::env;

use gnomon_values::{declaration, names, projection};

use crate::{Events, Projection, Tables, schema::TableSchema};

/// # Panics
/// A host would refuse the module.
#[track_caller]
pub(super) fn check<P: Projection>() {
    let schemas = P::Tables::schemas();
    let declared = projection::Projection {
        tables: schemas.iter().map(table).collect(),
        all_types: P::Event::ALL_TYPES,
        event_types: P::Event::WANTED.iter().map(|wanted| (wanted.event_type, wanted.schema_version)).collect(),
        categories: P::CATEGORIES.to_vec(),
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
        order: column.column_type.order(),
        nullable: column.nullable,
    });
    let indexes =
        schema.indexes.iter().map(|index| declaration::Index { name: index.name, columns: index.columns.to_vec() });
    declaration::Table {
        name: schema.name,
        columns: columns.collect(),
        key: schema.key.to_vec(),
        indexes: indexes.collect(),
    }
}
