//! Places filters, orders and limits where their paths lead: on the resource that is asked, or on one that is embedded.

use std::collections::HashSet;

use super::{
    error::QueryError,
    field::Field,
    filter,
    found_words::FoundWords,
    limits::{MAX_CONDITIONS, MAX_WRITTEN_CONDITIONS},
    logic::{self, Logic},
    order::{OrderBy, OrderTerm, Term, order},
    parameters::{Kind, Parameter},
    resource::{Embedding, Resource},
    scope::Scope,
    window,
    written::written_conditions,
};

/// Places parameters.
///
/// # Errors
/// A path leads nowhere, or what stands there is wrong.
pub(super) fn place(root: &mut Resource<'_>, mut parameters: Vec<Parameter>) -> Result<(), QueryError> {
    // Ranks are of the words that filters search for.
    parameters.sort_by_key(|parameter| matches!(parameter.kind, Kind::Order));
    let (mut given, mut conditions) = (HashSet::new(), 0);
    for Parameter { key, path, kind, value } in parameters {
        let resource = resource_at(root, &path)?;
        let once = match &kind {
            Kind::Filter(_) | Kind::Logic(_) => None,
            Kind::Order => Some("order"),
            Kind::Limit => Some("limit"),
            Kind::Offset => Some("offset"),
        };
        if once.is_some_and(|once| !given.insert((resource.number, once))) {
            return Err(QueryError::twice(&key));
        }
        match kind {
            Kind::Filter(_) | Kind::Logic(_) => {
                let names: Vec<_> = resource.embeddings.iter().map(|its| its.shown_name().to_owned()).collect();
                let scope = Scope { table: resource.table, embedded: &names };
                let logic = match kind {
                    Kind::Filter(field) => Logic::Condition(filter::filter(scope, field, &value)?),
                    Kind::Logic(connective) => logic::logic(scope, &connective, &value)?,
                    Kind::Order | Kind::Limit | Kind::Offset => continue,
                };
                conditions += logic.conditions();
                if conditions > MAX_CONDITIONS {
                    return Err(QueryError::too_many("conditions", MAX_CONDITIONS));
                }
                resource.conditions.push(logic);
            }
            Kind::Order => {
                let terms = order(&value)?.into_iter().map(|term| order_term(resource, term));
                resource.order = terms.collect::<Result<_, _>>()?;
            }
            Kind::Limit => resource.window.limit = Some(window::limit(&key, &value)?),
            Kind::Offset => resource.window.offset = window::offset(&key, &value)?,
        }
    }
    find_for_snippets(root)?;
    if written_conditions(root) > MAX_WRITTEN_CONDITIONS {
        return Err(QueryError::too_many("conditions within embeddings", MAX_WRITTEN_CONDITIONS));
    }
    Ok(())
}

/// Looks up what the snippets of a resource, and of those within it, are of.
///
/// # Errors
/// One is of words that no condition searches for, or of groups.
fn find_for_snippets(resource: &mut Resource<'_>) -> Result<(), QueryError> {
    let is_grouped = resource.is_grouped();
    for selected in &mut resource.select {
        let Some(snippet) = &mut selected.snippet else { continue };
        let name = snippet.index.name.as_str();
        if is_grouped {
            return Err(QueryError::not_grouped(resource.table.name().as_str(), name));
        }
        *snippet = FoundWords::of(resource.table, name, &resource.conditions, &format!("{name}.snippet()"))?;
    }
    resource.embeddings.iter_mut().try_for_each(|embedding| find_for_snippets(&mut embedding.resource))
}

/// The resource to which a path leads. A name is that in the result, or else the one before its alias.
fn resource_at<'r, 't>(root: &'r mut Resource<'t>, path: &[String]) -> Result<&'r mut Resource<'t>, QueryError> {
    let mut resource = root;
    for name in path {
        let found =
            embedding_of(resource, name).or_else(|| resource.embeddings.iter().position(|its| its.name == *name));
        let found = found.and_then(|index| resource.embeddings.get_mut(index));
        resource = &mut found.ok_or_else(|| QueryError::not_embedded(name))?.resource;
    }
    Ok(resource)
}

fn embedding_of(resource: &Resource<'_>, name: &str) -> Option<usize> {
    resource.embeddings.iter().position(|embedding| embedding.shown_name() == name)
}

fn order_term<'t>(resource: &Resource<'t>, term: Term) -> Result<OrderTerm<'t>, QueryError> {
    let Term { embedding, field, is_rank, direction, nulls } = term;
    if is_rank {
        let (table, index) = (resource.table, &field.column);
        if resource.is_grouped() {
            return Err(QueryError::not_grouped(table.name().as_str(), index));
        }
        let found = FoundWords::of(table, index, &resource.conditions, &format!("{index}.rank"))?;
        return Ok(OrderTerm { by: OrderBy::Rank(found), direction, nulls });
    }
    let Some(name) = embedding else {
        let field = Field::named(resource.table, field)?;
        if resource.is_grouped() && resource.shown_field(&field).is_none() {
            return Err(not_grouped(resource, &field));
        }
        return Ok(OrderTerm { by: OrderBy::Field(field), direction, nulls });
    };
    let index = embedding_of(resource, &name).ok_or_else(|| QueryError::not_embedded(&name))?;
    let embedding = &resource.embeddings[index];
    if !embedding.is_to_one() {
        return Err(QueryError::related_order(resource.table.name().as_str(), embedding.shown_name()));
    }
    let field = embedded_field(embedding, field)?;
    // Groups have what they are made by only: values that are spread into them.
    let (by_hoisted, by_own) = (resource.is_grouped(), embedding.resource.is_grouped());
    if (by_hoisted && !embedding.spread) || ((by_hoisted || by_own) && embedding.resource.shown_field(&field).is_none())
    {
        return Err(not_grouped(&embedding.resource, &field));
    }
    Ok(OrderTerm { by: OrderBy::Embedded(index, field), direction, nulls })
}

/// A field by its name in the result, or else by that of its column.
fn embedded_field<'t>(embedding: &Embedding<'t>, name: super::field::FieldName) -> Result<Field<'t>, QueryError> {
    let resource = &embedding.resource;
    let shown = resource.select.iter().find(|selected| {
        name.path.is_empty() && selected.aggregate.is_none() && selected.alias.as_ref() == Some(&name.column)
    });
    match shown.and_then(|selected| selected.field.clone()) {
        Some(field) => Ok(field),
        None => Field::named(resource.table, name),
    }
}

fn not_grouped(resource: &Resource<'_>, field: &Field<'_>) -> QueryError {
    QueryError::not_grouped(resource.table.name().as_str(), field.column.name.as_str())
}
