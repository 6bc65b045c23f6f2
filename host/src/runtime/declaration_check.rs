//! Checks what a projection or a reactor declares.

use std::sync::Arc;

use gnomon_values::{projection, reactor, wanted::Wanted};

use super::{
    descriptor::{ProjectionDescriptor, ReactorDescriptor, WantedType},
    descriptor_size,
};
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
        checked(&self.tables)
    }

    fn to_check(&self) -> projection::Projection<'_> {
        projection::Projection {
            description: self.description.as_deref(),
            tables: self.tables.iter().map(TableDeclaration::to_check).collect(),
            wanted: wanted(self.all_types, &self.event_types, &self.categories, &self.tags),
        }
    }
}

impl ReactorDescriptor {
    /// Checks the descriptor and answers the reactor's tables.
    ///
    /// # Errors
    /// A message for everything that is wrong with it.
    pub fn check(&self) -> Result<Vec<Arc<Table>>, Vec<String>> {
        descriptor_size::check_reactor(self).map_err(|reason| vec![reason])?;
        let mut reasons = reactor::check(&self.to_check());
        reasons.extend(self.sdk.check());
        if !reasons.is_empty() {
            return Err(reasons);
        }
        checked(&self.tables)
    }

    fn to_check(&self) -> reactor::Reactor<'_> {
        reactor::Reactor {
            description: self.description.as_deref(),
            tables: self.tables.iter().map(TableDeclaration::to_check).collect(),
            wanted: wanted(self.all_types, &self.event_types, &self.categories, &self.tags),
            sinks: self.sinks.iter().map(String::as_str).collect(),
        }
    }
}

fn wanted<'d>(
    all_types: bool,
    event_types: &'d [WantedType],
    categories: &'d [String],
    tags: &'d [String],
) -> Wanted<'d> {
    let named =
        event_types.iter().map(|wanted| (wanted.event_type.as_str(), wanted.schema_version.map(SchemaVersion::get)));
    Wanted {
        all_types,
        event_types: named.collect(),
        categories: categories.iter().map(String::as_str).collect(),
        tags: tags.iter().map(String::as_str).collect(),
    }
}

fn checked(tables: &[TableDeclaration]) -> Result<Vec<Arc<Table>>, Vec<String>> {
    let messages = |errors: Vec<DeclarationError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    tables.iter().map(|table| Table::check(table).map(Arc::new).map_err(messages)).collect()
}
