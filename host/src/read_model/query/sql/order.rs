//! `ORDER BY`.

use super::{
    embedding::order_value,
    output::{Origin, Output},
    writer::{Writer, numbered},
};
use crate::read_model::query::order::{Direction, Nulls, OrderBy, OrderTerm, complete};

impl Writer<'_> {
    /// The terms of an order in which no two rows are equal.
    pub(super) fn whole_order(&mut self) -> Vec<String> {
        let resource = self.resource;
        let whole = complete(resource.table, &resource.order);
        let terms = whole.iter().enumerate().map(|(position, term)| {
            let by = match &term.by {
                OrderBy::Field(field) => self.field(field),
                OrderBy::Rank(found) => self.rank(found),
                OrderBy::Embedded(index, _) => {
                    let joined = numbered("joined", resource.embeddings[*index].resource.number);
                    format!("{joined}.{}", order_value(position))
                }
            };
            format!("{by}{}", suffix(term))
        });
        terms.collect()
    }

    /// The terms of an order of groups: those of the query, then what else the groups are made by.
    pub(super) fn order_of_groups(&self, outputs: &[Output], groups: &[String]) -> Vec<String> {
        let resource = self.resource;
        let mut named = Vec::new();
        let mut terms = Vec::new();
        for term in &resource.order {
            let origin = match &term.by {
                OrderBy::Field(field) => resource.shown_field(field).map(Origin::Selected),
                OrderBy::Embedded(index, field) => {
                    let shown = resource.embeddings[*index].resource.shown_field(field);
                    shown.map(|selected| Origin::Spread(*index, selected))
                }
                OrderBy::Rank(_) => None,
            };
            // Another term is refused as it is read.
            let Some(output) = outputs.iter().find(|output| Some(output.origin) == origin) else { continue };
            terms.push(format!("{}{}", output.expression, suffix(term)));
            named.push(&output.expression);
        }
        let direction = last_direction(&resource.order);
        let others = groups.iter().filter(|group| !named.contains(group));
        terms.extend(others.map(|group| format!("{group}{}", suffix_of(direction, None))));
        terms
    }
}

fn last_direction(order: &[OrderTerm<'_>]) -> Option<Direction> {
    order.last().and_then(|last| last.direction)
}

fn suffix(term: &OrderTerm<'_>) -> String {
    suffix_of(term.direction, term.nulls)
}

fn suffix_of(direction: Option<Direction>, nulls: Option<Nulls>) -> String {
    let direction = match direction {
        None => "",
        Some(Direction::Ascending) => " ASC",
        Some(Direction::Descending) => " DESC",
    };
    let nulls = match nulls {
        None => "",
        Some(Nulls::First) => " NULLS FIRST",
        Some(Nulls::Last) => " NULLS LAST",
    };
    format!("{direction}{nulls}")
}
