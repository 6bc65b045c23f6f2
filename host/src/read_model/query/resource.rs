//! What a query selects, with its names looked up: a tree of resources.

use super::{
    aggregate::{Aggregate, Function},
    cast::SqlType,
    catalog::Catalog,
    error::{ErrorCode, QueryError},
    field::{Field, FieldName},
    found_words::FoundWords,
    limits::{MAX_EMBEDDINGS, MAX_REPEATED, MAX_SELECTED},
    logic::Logic,
    order::OrderTerm,
    relationship::{Relationship, Relationships},
    select::{EmbeddingItem, Item, ValueItem},
    window::Window,
};
use crate::read_model::{Column, Table};

/// Rows of a table, and what is shown of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource<'t> {
    /// 0 is the table that is asked; embeddings are numbered as they stand in `select`.
    pub(super) number: usize,
    pub(super) table: &'t Table,
    pub(super) select: Vec<Selected<'t>>,
    pub(super) embeddings: Vec<Embedding<'t>>,
    /// All of them must hold.
    pub(super) conditions: Vec<Logic<'t>>,
    pub(super) order: Vec<OrderTerm<'t>>,
    pub(super) window: Window,
}

/// A value of the result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selected<'t> {
    /// `None` stands for whole rows, which only `count()` takes.
    pub(super) field: Option<Field<'t>>,
    /// Its name in the result, if it is not the field's.
    pub(super) alias: Option<String>,
    /// The type that the field is cast to.
    pub(super) cast: Option<SqlType>,
    pub(super) aggregate: Option<Aggregate>,
    /// The words of which it shows snippets; it has nothing else then.
    pub(super) snippet: Option<FoundWords<'t>>,
}

/// A resource within the rows of another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Embedding<'t> {
    /// As it is written in `select`.
    pub(super) name: String,
    pub(super) alias: Option<String>,
    /// Whether only rows are wanted for which there is something.
    pub(super) inner: bool,
    /// Whether its values become those of the row that it is embedded into.
    pub(super) spread: bool,
    pub(super) relationship: Relationship<'t>,
    pub(super) resource: Resource<'t>,
}

impl<'t> Selected<'t> {
    /// The value of a field.
    pub(super) fn of(field: Field<'t>) -> Self {
        Self { field: Some(field), alias: None, cast: None, aggregate: None, snippet: None }
    }

    /// Its name in the result.
    pub(super) fn name(&self) -> &str {
        match (&self.alias, &self.aggregate, &self.field) {
            (Some(alias), ..) => alias,
            (None, Some(aggregate), _) => aggregate.function.name(),
            (None, None, Some(field)) => {
                let key = field.path.last_key().filter(|key| !key.is_empty());
                key.unwrap_or(field.column.name.as_str())
            }
            (None, None, None) => {
                if self.snippet.is_some() {
                    "snippet"
                } else {
                    ""
                }
            }
        }
    }
}

impl<'t> Embedding<'t> {
    /// Its name in the result, and in parameters.
    pub(super) fn shown_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// Whether it has one row at most.
    pub(super) fn is_to_one(&self) -> bool {
        self.relationship.is_to_one()
    }

    /// Whether its values, aggregates included, become values of the row that it is embedded into.
    pub(super) fn is_hoisted(&self) -> bool {
        self.spread && self.is_to_one()
    }

    /// Whether nothing of it is shown, so that it only filters.
    pub(super) fn is_empty(&self) -> bool {
        self.resource.select.is_empty() && self.resource.embeddings.iter().all(Self::is_empty)
    }
}

impl<'t> Resource<'t> {
    /// Whether it shows aggregates, of its own or of what is spread into it. Then its rows are groups.
    pub(super) fn is_grouped(&self) -> bool {
        self.select.iter().any(|selected| selected.aggregate.is_some())
            || self.embeddings.iter().any(|embedding| embedding.is_hoisted() && embedding.resource.is_grouped())
    }

    /// Whether it asks for the row of one key: there is no more than one.
    pub(super) fn is_one_by_key(&self) -> bool {
        let is_given = |key: &Column| self.conditions.iter().any(|condition| condition.given_column() == Some(key));
        self.table.key_columns().all(is_given)
    }

    /// What groups are made by, if a field is shown without a function or a cast.
    pub(super) fn shown_field(&self, field: &Field<'_>) -> Option<usize> {
        self.select.iter().position(|selected| {
            selected.aggregate.is_none() && selected.cast.is_none() && selected.field.as_ref() == Some(field)
        })
    }
}

/// Looks up what `select` names.
///
/// # Errors
/// Something does not exist, is ambiguous, or is too much.
pub(super) fn resource<'t>(
    catalog: &Catalog<'t>,
    table: &'t Table,
    items: Vec<Item>,
) -> Result<Resource<'t>, QueryError> {
    let embeds = items.iter().any(|item| matches!(item, Item::Embedding(_)));
    let relationships = embeds.then(|| Relationships::new(catalog));
    let mut lookup = Lookup { catalog, relationships, embeddings: 0, selected: 0, of_postgres: None };
    let root = lookup.resource(table, items)?;
    match lookup.of_postgres {
        Some(error) => Err(error),
        None => Ok(root),
    }
}

struct Lookup<'c, 't> {
    catalog: &'c Catalog<'t>,
    /// Looked up once, if anything is embedded at all.
    relationships: Option<Relationships<'t>>,
    embeddings: usize,
    selected: usize,
    /// The first error that Postgres makes in PostgREST: it is asked only when all relationships are found.
    of_postgres: Option<QueryError>,
}

impl<'t> Lookup<'_, 't> {
    fn resource(&mut self, table: &'t Table, items: Vec<Item>) -> Result<Resource<'t>, QueryError> {
        let number = self.embeddings;
        let (mut select, mut embeddings) = (Vec::new(), Vec::new());
        for item in items {
            let before = select.len();
            match item {
                Item::All => select.extend(table.columns().iter().map(|column| Selected::of(Field::of(column)))),
                Item::Value(item) => match self.value(table, item) {
                    Ok(value) => select.push(value),
                    Err(error) if matches!(error.code, ErrorCode::Postgres(_)) => {
                        self.of_postgres.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                },
                Item::Snippet { alias, index } => select.push(Selected {
                    field: None,
                    alias,
                    cast: None,
                    aggregate: None,
                    snippet: Some(FoundWords::not_yet(table, &index, &format!("{index}.snippet()"))?),
                }),
                Item::Embedding(item) => embeddings.push(self.embedding(table, item)?),
            }
            self.selected += select.len() - before;
            // Checked after each item, since `*` is many columns.
            if self.selected > MAX_SELECTED {
                return Err(QueryError::too_many("selected columns", MAX_SELECTED));
            }
        }
        check_repeated(&select)?;
        check_names(&embeddings)?;
        let (conditions, order, window) = (Vec::new(), Vec::new(), Window::default());
        Ok(Resource { number, table, select, embeddings, conditions, order, window })
    }

    fn value(&self, table: &'t Table, item: ValueItem) -> Result<Selected<'t>, QueryError> {
        let ValueItem { alias, field, cast, aggregate } = item;
        // PostgREST gives `count` to Postgres as a column, which reads it as the function of the row.
        let rows = |name: &FieldName| name.column == "count" && name.path.is_empty() && table.column("count").is_none();
        let (field, cast, aggregate) = match (field, aggregate) {
            (Some(name), None) if rows(&name) => (None, None, Some((Function::Count, cast))),
            (field, aggregate) => (field, cast, aggregate),
        };
        if aggregate.is_some() && !self.catalog.aggregates {
            return Err(QueryError::aggregate());
        }
        let named = |name: Option<String>| name.as_deref().map(SqlType::named).transpose();
        Ok(Selected {
            field: field.map(|name| Field::named(table, name)).transpose()?,
            alias,
            cast: named(cast)?,
            aggregate: match aggregate {
                Some((function, cast)) => Some(Aggregate { function, cast: named(cast)? }),
                None => None,
            },
            snippet: None,
        })
    }

    fn embedding(&mut self, origin: &'t Table, item: EmbeddingItem) -> Result<Embedding<'t>, QueryError> {
        self.embeddings += 1;
        if self.embeddings > MAX_EMBEDDINGS {
            return Err(QueryError::too_many("embedded resources", MAX_EMBEDDINGS));
        }
        let EmbeddingItem { alias, name, hint, inner, spread, items } = item;
        let relationships = self.relationships.get_or_insert_with(|| Relationships::new(self.catalog));
        let relationship = relationships.find(origin, &name, hint.as_deref())?;
        let resource = self.resource(relationship.target, items)?;
        if spread && !relationship.is_to_one() && resource.is_grouped() {
            let details = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
            return Err(QueryError::not_implemented(details.to_owned()));
        }
        Ok(Embedding { name, alias, inner, spread, relationship, resource })
    }
}

fn check_repeated(select: &[Selected<'_>]) -> Result<(), QueryError> {
    let names = select.iter().filter_map(|selected| match (&selected.field, &selected.snippet) {
        (Some(field), _) => Some(field.column.name.as_str()),
        (None, snippet) => snippet.as_ref().map(|snippet| snippet.index.name.as_str()),
    });
    let mut columns: Vec<_> = names.collect();
    let all = columns.len();
    columns.sort_unstable();
    columns.dedup();
    match all - columns.len() > MAX_REPEATED {
        true => Err(QueryError::too_many("columns that are selected again", MAX_REPEATED)),
        false => Ok(()),
    }
}

/// Parameters could not tell embeddings of one name apart.
fn check_names(embeddings: &[Embedding<'_>]) -> Result<(), QueryError> {
    for (index, embedding) in embeddings.iter().enumerate() {
        if embeddings[..index].iter().any(|earlier| earlier.shown_name() == embedding.shown_name()) {
            return Err(QueryError::embedded_twice(embedding.shown_name()));
        }
    }
    Ok(())
}
