//! Values of a row, as the parts of a statement pass them on.

use super::writer::quoted;
use crate::read_model::{
    ColumnType,
    query::{aggregate::Aggregate, cast::SqlType},
    value::shown_in_json,
};

/// A value of a row.
#[derive(Debug)]
pub(super) struct Output {
    /// Its name in the result.
    pub(super) name: String,
    pub(super) expression: String,
    pub(super) sql_type: SqlType,
    /// Whether the expression is a column of this name.
    pub(super) is_column: bool,
    /// The function that the rows it is spread into still have to apply.
    pub(super) aggregate: Option<Aggregate>,
    pub(super) origin: Origin,
}

/// Where a value comes from, by which an order names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A value that the resource selects itself, by its index.
    Selected(usize),
    /// A value that is spread into it: the index of the embedding, and that of what it selects.
    Spread(usize, usize),
    /// Anything else.
    Other,
}

impl Output {
    /// A value of JSON.
    pub(super) fn json(name: &str, expression: String) -> Self {
        let (name, sql_type) = (name.to_owned(), SqlType::plain("json"));
        Self { name, expression, sql_type, is_column: false, aggregate: None, origin: Origin::Other }
    }

    /// Its item in a `SELECT` of what is shown.
    pub(super) fn shown(&self) -> String {
        match (self.value(), self.is_column) {
            (None, true) => self.expression.clone(),
            (value, _) => format!("{} AS {}", value.as_ref().unwrap_or(&self.expression), quoted(&self.name)),
        }
    }

    /// The same under a name for the rest of the statement.
    pub(super) fn shown_as(&self, name: &str) -> String {
        format!("{} AS {name}", self.value().as_ref().unwrap_or(&self.expression))
    }

    /// The expression as JSON shows it, where that differs.
    fn value(&self) -> Option<String> {
        match self.sql_type {
            SqlType { element: "timestamp with time zone", array: false } => {
                shown_in_json(ColumnType::Timestamp, &self.expression)
            }
            SqlType { element: "timestamp with time zone", array: true } => {
                Some(format!("replace(to_json({})::text, '+00:00\"', 'Z\"')::json", self.expression))
            }
            _ => None,
        }
    }

    /// Makes it a value of a group: applies its function, or makes it one that groups can be made by.
    pub(super) fn of_group(&mut self) {
        self.is_column &= self.aggregate.is_none();
        match self.aggregate.take() {
            Some(Aggregate { function, cast: to }) => {
                self.expression = format!("{}({})", function.name(), self.expression);
                self.sql_type = function.result(self.sql_type);
                if let Some(to) = to {
                    self.expression = cast(&self.expression, to);
                    self.sql_type = to;
                }
            }
            // Texts of json cannot be compared.
            None if self.sql_type == SqlType::plain("json") => {
                self.expression = format!("({})::jsonb", self.expression);
                self.sql_type = SqlType::plain("jsonb");
            }
            None => {}
        }
    }
}

/// A value as another type.
pub(super) fn cast(expression: &str, to: SqlType) -> String {
    format!("CAST({expression} AS {})", to.sql())
}
