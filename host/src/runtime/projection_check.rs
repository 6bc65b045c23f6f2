//! Checks what a projection declares.

use std::sync::Arc;

use gnomon_values::projection;

use super::{descriptor::ProjectionDescriptor, descriptor_size};
use crate::{
    event_log::SchemaVersion,
    read_model::{DeclarationError, Identifier, Table, TableDeclaration},
};

impl ProjectionDescriptor {
    /// Checks the descriptor of the projection `name` and answers its tables.
    ///
    /// # Errors
    /// A message for everything that is wrong with it.
    pub fn check(&self, name: &Identifier) -> Result<Vec<Arc<Table>>, Vec<String>> {
        descriptor_size::check_projection(self).map_err(|reason| vec![reason])?;
        let mut reasons = projection::check(name.as_str(), &self.to_check());
        reasons.extend(self.sdk.check());
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let messages = |errors: Vec<DeclarationError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        self.tables.iter().map(|table| Table::check(table).map(Arc::new).map_err(messages)).collect()
    }

    fn to_check(&self) -> projection::Projection<'_> {
        let wanted = self
            .event_types
            .iter()
            .map(|wanted| (wanted.event_type.as_str(), wanted.schema_version.map(SchemaVersion::get)));
        projection::Projection {
            description: self.description.as_deref(),
            tables: self.tables.iter().map(TableDeclaration::to_check).collect(),
            all_types: self.all_types,
            event_types: wanted.collect(),
            categories: self.categories.iter().map(String::as_str).collect(),
            tags: self.tags.iter().map(String::as_str).collect(),
        }
    }
}
