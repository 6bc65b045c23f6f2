//! Relationships between tables, by the references that they declare: what `select` can embed.

use super::{
    candidate::Candidate,
    catalog::Catalog,
    error::QueryError,
    reference_link::Link,
    relationship_error::{ambiguous, not_found},
};
use crate::read_model::Table;

/// A way from the rows of a table to those of another, or of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relationship<'t> {
    pub(super) origin: &'t Table,
    pub(super) target: &'t Table,
    pub(super) way: Way<'t>,
}

/// Which references lead there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way<'t> {
    /// The origin references the target.
    Forward(Link<'t>),
    /// The target references the origin.
    Backward(Link<'t>),
    /// A table whose key holds references to both.
    Through { junction: &'t Table, to_origin: Link<'t>, to_target: Link<'t> },
}

impl<'t> Relationship<'t> {
    /// Whether a row of the origin has one row of the target at most.
    pub(super) fn is_to_one(&self) -> bool {
        match &self.way {
            Way::Forward(_) => true,
            Way::Backward(link) => link.unique,
            Way::Through { .. } => false,
        }
    }

    /// Whether a query means this one by the name of an embedding and its hint.
    fn is_meant(&self, name: &str, hint: Option<&str>) -> bool {
        let of_target = name == self.target.name().as_str();
        let to_itself = self.origin.name() == self.target.name();
        match (&self.way, hint) {
            // One reference is two relationships here. The table's name means the rows that reference this one, the column's that to which
            // this one refers.
            (Way::Through { .. }, _) if to_itself => false,
            (Way::Forward(link), None) if to_itself => link.name == name || link.is_by(name),
            (Way::Forward(_), Some(_)) if to_itself => false,
            (Way::Backward(_), None) if to_itself => of_target,
            (Way::Backward(link), Some(hint)) if to_itself => of_target && (link.name == hint || link.is_by(hint)),
            (Way::Forward(link), None) => of_target || link.name == name || link.is_by(name),
            (Way::Backward(link), None) => of_target || link.name == name,
            (Way::Through { .. }, None) => of_target,
            (Way::Forward(link) | Way::Backward(link), Some(hint)) => {
                let key = link.single().map(|(_, key)| key.name.as_str());
                of_target && (link.name == hint || link.is_by(hint) || key == Some(hint))
            }
            (Way::Through { junction, .. }, Some(hint)) => of_target && junction.name().as_str() == hint,
        }
    }

    /// By what PostgREST orders those that a query could mean: the target, how many rows of it there are, and the names of the references.
    fn place_among_candidates(&self) -> (String, u8, [String; 3]) {
        let (kind, names) = match &self.way {
            Way::Backward(link) if !link.unique => (0, [link.name.as_str(), "", ""]),
            Way::Forward(link) if !link.unique => (1, [link.name.as_str(), "", ""]),
            Way::Forward(link) | Way::Backward(link) => (2, [link.name.as_str(), "", ""]),
            Way::Through { junction, to_origin, to_target } => {
                (3, [junction.name().as_str(), to_origin.name.as_str(), to_target.name.as_str()])
            }
        };
        (self.target.name().to_string(), kind, names.map(str::to_owned))
    }

    /// How it is shown where a query could mean several.
    fn candidate(&self) -> Candidate {
        let columns = |link: &Link<'_>, own: bool| {
            let names = link.columns.iter().map(|(from, key)| if own { from.name.as_str() } else { key.name.as_str() });
            format!("({})", names.collect::<Vec<_>>().join(", "))
        };
        let (origin, target) = (self.origin.name(), self.target.name());
        let (cardinality, relationship, hint) = match &self.way {
            Way::Forward(link) => (
                if link.unique { "one-to-one" } else { "many-to-one" },
                format!("{} using {origin}{} and {target}{}", link.name, columns(link, true), columns(link, false)),
                link.name.clone(),
            ),
            Way::Backward(link) => (
                if link.unique { "one-to-one" } else { "one-to-many" },
                format!("{} using {origin}{} and {target}{}", link.name, columns(link, false), columns(link, true)),
                link.name.clone(),
            ),
            Way::Through { junction, to_origin, to_target } => (
                "many-to-many",
                format!(
                    "{} using {}{} and {}{}",
                    junction.name(),
                    to_origin.name,
                    columns(to_origin, true),
                    to_target.name,
                    columns(to_target, true)
                ),
                junction.name().to_string(),
            ),
        };
        Candidate {
            cardinality,
            embedding: format!("{origin} with {target}"),
            relationship,
            hint: format!("{target}!{hint}"),
        }
    }
}

/// The relationships of a projection.
#[derive(Debug)]
pub(super) struct Relationships<'t> {
    projection: &'t str,
    links: Vec<Link<'t>>,
}

impl<'t> Relationships<'t> {
    /// Those of all tables.
    pub(super) fn new(catalog: &Catalog<'t>) -> Self {
        Self { projection: catalog.projection, links: Link::all(catalog) }
    }

    /// The one that a query means when it embeds `name` into `origin`.
    ///
    /// # Errors
    /// It may mean none or several.
    pub(super) fn find(
        &self,
        origin: &'t Table,
        name: &str,
        hint: Option<&str>,
    ) -> Result<Relationship<'t>, QueryError> {
        let mut meant = self.of(origin);
        meant.retain(|relationship| relationship.is_meant(name, hint));
        if meant.len() > 1 {
            meant.sort_by_cached_key(Relationship::place_among_candidates);
            let candidates = meant.iter().map(Relationship::candidate).collect();
            return Err(ambiguous(origin.name().as_str(), name, candidates));
        }
        meant.pop().ok_or_else(|| self.not_found(origin, name, hint))
    }

    fn not_found(&self, origin: &Table, name: &str, hint: Option<&str>) -> QueryError {
        let related = self.of(origin);
        let origins = self.links.iter().flat_map(|link| [link.from, link.to]).map(|table| table.name().as_str());
        let targets = related.iter().map(|relationship| relationship.target.name().as_str());
        not_found(origin.name().as_str(), name, hint, self.projection, targets.collect(), origins.collect())
    }

    fn of(&self, origin: &'t Table) -> Vec<Relationship<'t>> {
        let is_origin = |table: &Table| table.name() == origin.name();
        let mut found = Vec::new();
        for link in &self.links {
            if is_origin(link.from) {
                found.push(Relationship { origin, target: link.to, way: Way::Forward(link.clone()) });
            }
            if is_origin(link.to) {
                found.push(Relationship { origin, target: link.from, way: Way::Backward(link.clone()) });
                found.extend(self.through(origin, link));
            }
        }
        found
    }

    /// The relationships through a table that references the origin by `to_origin`.
    fn through(&self, origin: &'t Table, to_origin: &Link<'t>) -> Vec<Relationship<'t>> {
        let junction = to_origin.from;
        let in_key = |link: &Link<'_>| {
            !link.unique && link.columns.iter().all(|(own, _)| junction.key_columns().any(|key| key.name == own.name))
        };
        if !in_key(to_origin) {
            return Vec::new();
        }
        let others = self
            .links
            .iter()
            .filter(|link| link.from.name() == junction.name() && link.name != to_origin.name && in_key(link));
        others
            .map(|to_target| Relationship {
                origin,
                target: to_target.to,
                way: Way::Through { junction, to_origin: to_origin.clone(), to_target: to_target.clone() },
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "relationship_tests.rs"]
mod tests;
