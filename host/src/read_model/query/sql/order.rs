//! `ORDER BY`.

use super::writer::Writer;
use crate::read_model::{
    Column, Table,
    query::{
        field::Field,
        order::{Direction, Nulls, OrderTerm},
    },
};

impl Writer<'_> {
    /// The terms of an order in which no two rows are equal: those of the query, then the columns of the key that are not among
    /// them. The latter have the direction of the last term, so that with the key `a, b` the order `a.desc` is a backward scan of
    /// the key's index, without a sort.
    pub(super) fn whole_order(&self, table: &Table, order: &[OrderTerm<'_>]) -> Vec<String> {
        let direction = order.last().and_then(|last| last.direction);
        let named = |column: &Column| {
            order.iter().any(|term| term.field.path.is_empty() && term.field.column.name == column.name)
        };
        let key = table.key_columns().filter(|column| !named(column));
        let key = key.map(|column| OrderTerm { field: Field::of(column), direction, nulls: None });
        let asked_for = order.iter().map(|term| self.order_term(term));
        asked_for.chain(key.map(|term| self.order_term(&term))).collect()
    }

    pub(super) fn order_term(&self, term: &OrderTerm<'_>) -> String {
        let direction = match term.direction {
            None => "",
            Some(Direction::Ascending) => " ASC",
            Some(Direction::Descending) => " DESC",
        };
        let nulls = match term.nulls {
            None => "",
            Some(Nulls::First) => " NULLS FIRST",
            Some(Nulls::Last) => " NULLS LAST",
        };
        format!("{}{direction}{nulls}", self.field(&term.field))
    }
}
