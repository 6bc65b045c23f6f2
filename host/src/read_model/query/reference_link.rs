//! References as queries see them: with a name, and the pairs of columns that are equal.

use super::catalog::Catalog;
use crate::read_model::{Column, Reference, Table};

/// A reference of a table to the key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link<'t> {
    /// The name that Postgres gives a foreign key by default: `{table}_{columns}_fkey`.
    pub(super) name: String,
    /// The table with the reference.
    pub(super) from: &'t Table,
    /// The table with the key.
    pub(super) to: &'t Table,
    /// Columns of the first, each with the key's column that it is equal to.
    pub(super) columns: Vec<(&'t Column, &'t Column)>,
    /// Whether no two rows have the same values there: its columns are the table's key.
    pub(super) unique: bool,
}

impl<'t> Link<'t> {
    /// The references of all tables.
    pub(super) fn all(catalog: &Catalog<'t>) -> Vec<Self> {
        let mut links: Vec<Self> = Vec::new();
        for &from in &catalog.tables {
            for reference in from.references() {
                let Some(mut link) = Self::of(catalog, from, reference) else { continue };
                let same =
                    |other: &&Self| other.from.name() == from.name() && other.columns_from() == link.columns_from();
                let earlier: Vec<_> = links.iter().filter(same).collect();
                if earlier.iter().any(|other| other.to.name() == link.to.name()) {
                    continue;
                }
                // As Postgres tells such constraints apart.
                if !earlier.is_empty() {
                    link.name = format!("{}{}", link.name, earlier.len());
                }
                links.push(link);
            }
        }
        links
    }

    fn of(catalog: &Catalog<'t>, from: &'t Table, reference: &'t Reference) -> Option<Self> {
        let to = catalog.table(reference.table.as_str())?;
        let own = reference.columns.iter().map(|&column| &from.columns()[column]);
        let columns: Vec<_> = own.zip(to.key_columns()).collect();
        let names: Vec<_> = columns.iter().map(|(own, _)| own.name.as_str()).collect();
        let unique = reference.columns.len() == from.key().len()
            && from.key().iter().all(|column| reference.columns.contains(column));
        Some(Self { name: format!("{}_{}_fkey", from.name(), names.join("_")), from, to, columns, unique })
    }

    fn columns_from(&self) -> Vec<&str> {
        self.columns.iter().map(|(own, _)| own.name.as_str()).collect()
    }

    /// The column of the reference and that of the key, if there is only one of each.
    pub(super) fn single(&self) -> Option<(&'t Column, &'t Column)> {
        match self.columns.as_slice() {
            [pair] => Some(*pair),
            _ => None,
        }
    }

    /// The column of the reference, if it is only one and has this name.
    pub(super) fn is_by(&self, column: &str) -> bool {
        self.single().is_some_and(|(own, _)| own.name.as_str() == column)
    }
}
