//! What a query may name beside its own table.

use crate::read_model::Table;

/// The tables of a projection, and what its readers may ask of them.
#[derive(Clone, Debug)]
pub struct Catalog<'t> {
    /// The projection; PostgREST's errors name a schema there.
    pub projection: &'t str,
    /// Its tables.
    pub tables: Vec<&'t Table>,
    /// Whether aggregate functions are allowed.
    pub aggregates: bool,
}

impl<'t> Catalog<'t> {
    /// The table of this name.
    pub(super) fn table(&self, name: &str) -> Option<&'t Table> {
        self.tables.iter().copied().find(|table| table.name().as_str() == name)
    }
}
