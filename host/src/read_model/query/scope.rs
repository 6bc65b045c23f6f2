//! What the names of a filter can mean.

use crate::read_model::Table;

/// The table whose rows are filtered, and what is embedded into them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'t, 'e> {
    pub(super) table: &'t Table,
    /// The names of the embeddings, in their order.
    pub(super) embedded: &'e [String],
}

impl<'t> Scope<'t, '_> {
    /// A table with nothing embedded.
    #[cfg(test)]
    pub(super) fn of(table: &'t Table) -> Self {
        Self { table, embedded: &[] }
    }

    /// The index of the embedding of this name.
    pub(super) fn embedding(&self, name: &str) -> Option<usize> {
        self.embedded.iter().position(|embedded| embedded == name)
    }
}
