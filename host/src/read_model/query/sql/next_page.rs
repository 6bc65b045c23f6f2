//! The condition for the rows after the last one of the page before, and the values of a row that this needs.

use super::writer::Writer;
use crate::read_model::{
    ColumnType,
    query::{
        field::Field,
        next_page::LastRow,
        order::{Direction, Nulls, OrderTerm},
    },
    value::sql_type,
};

/// A value of a row by a term of an order.
pub(super) struct RowKey {
    pub(super) expression: String,
    column_type: ColumnType,
}

impl RowKey {
    /// The text of it where it has this name.
    pub(super) fn as_text(&self, name: &str) -> String {
        match self.column_type {
            // In this form it is sent back as an instant, not as a text.
            ColumnType::Timestamp => format!("to_json({name})#>>'{{}}'"),
            _ => format!("{name}::text"),
        }
    }
}

/// A term of the order, and the value that the last row has there.
struct Compared {
    expression: String,
    /// `None` is null.
    value: Option<String>,
    descending: bool,
    nulls_first: bool,
    /// Whether there may be nulls.
    nullable: bool,
}

impl Writer<'_> {
    /// The values of a row by the terms of an order.
    pub(super) fn keys_of_row(&self, order: &[OrderTerm<'_>]) -> Vec<RowKey> {
        let fields = order.iter().filter_map(|term| term.by.field());
        fields.map(|field| RowKey { expression: self.field(field), column_type: field.column_type() }).collect()
    }

    /// The condition for the rows after the last one. Each of them differs from it in a first term, and is after it by that.
    pub(super) fn after(&mut self, order: &[OrderTerm<'_>], last: &LastRow) -> String {
        let fields = order.iter().filter_map(|term| Some((term, term.by.field()?)));
        let compared: Vec<_> =
            fields.zip(&last.values).map(|((term, field), value)| self.compared(term, field, value.as_ref())).collect();
        if let Some(rows) = as_rows(&compared) {
            return rows;
        }
        let mut condition = "FALSE".to_owned();
        for term in compared.iter().rev() {
            condition = format!("({} OR ({} AND {condition}))", term.is_after(), term.is_equal());
        }
        // By this, an index on the first term is used.
        match compared.first().and_then(Compared::is_not_before) {
            Some(bound) => format!("({bound} AND {condition})"),
            None => condition,
        }
    }

    fn compared(&mut self, term: &OrderTerm<'_>, field: &Field<'_>, value: Option<&String>) -> Compared {
        let descending = term.direction == Some(Direction::Descending);
        Compared {
            expression: self.field(field),
            value: value.map(|value| self.bind(value.clone(), sql_type(field.column_type()))),
            descending,
            nulls_first: match term.nulls {
                Some(nulls) => nulls == Nulls::First,
                None => descending,
            },
            nullable: field.nullable(),
        }
    }
}

/// A comparison of rows, by which an index over all terms is used. For terms of one direction without nulls.
fn as_rows(terms: &[Compared]) -> Option<String> {
    let first = terms.first()?;
    let alike = |term: &Compared| !term.nullable && term.value.is_some() && term.descending == first.descending;
    if !terms.iter().all(alike) {
        return None;
    }
    let expressions: Vec<_> = terms.iter().map(|term| term.expression.as_str()).collect();
    let values: Vec<_> = terms.iter().filter_map(|term| term.value.as_deref()).collect();
    let operator = if first.descending { "<" } else { ">" };
    Some(format!("({}) {operator} ({})", expressions.join(", "), values.join(", ")))
}

impl Compared {
    fn operator(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }

    fn is_after(&self) -> String {
        let Self { expression, nullable, nulls_first, .. } = self;
        match &self.value {
            Some(value) if *nullable && !nulls_first => {
                format!("{expression} {} {value} OR {expression} IS NULL", self.operator())
            }
            Some(value) => format!("{expression} {} {value}", self.operator()),
            None if *nulls_first => format!("{expression} IS NOT NULL"),
            None => "FALSE".to_owned(),
        }
    }

    fn is_equal(&self) -> String {
        match &self.value {
            Some(value) => format!("{} = {value}", self.expression),
            None => format!("{} IS NULL", self.expression),
        }
    }

    /// A condition that every row after the last one meets, if it is a plain one.
    fn is_not_before(&self) -> Option<String> {
        let value = self.value.as_ref()?;
        let plain = !self.nullable || self.nulls_first;
        plain.then(|| format!("{} {}= {value}", self.expression, self.operator()))
    }
}
