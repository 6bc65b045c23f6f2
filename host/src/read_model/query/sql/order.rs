//! `ORDER BY`.

use super::writer::Writer;
use crate::read_model::query::order::{Direction, Nulls, OrderBy, OrderTerm};

impl Writer<'_> {
    /// The `ORDER BY` clause, if there are terms.
    pub(super) fn order(&mut self, order: &[OrderTerm<'_>]) -> String {
        if order.is_empty() {
            return String::new();
        }
        let terms: Vec<_> = order.iter().map(|term| self.order_term(term)).collect();
        format!(" ORDER BY {}", terms.join(", "))
    }

    fn order_term(&mut self, term: &OrderTerm<'_>) -> String {
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
        let by = match &term.by {
            OrderBy::Field(field) => self.field(field),
            OrderBy::Rank(found) => self.rank(found),
        };
        format!("{by}{direction}{nulls}")
    }
}
