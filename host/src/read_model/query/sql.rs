//! A query as SQL.

use super::{
    Query,
    filter::{Comparison, Condition, State, Test},
    logic::{Connective, Logic},
    order::{Direction, Nulls, OrderTerm},
};
use crate::read_model::{Column, ColumnType, Table};

/// What the answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A JSON array of rows.
    #[default]
    List,
    /// The one row, as a JSON object.
    Object,
}

/// How a query is to be answered, beside what the query itself says.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The schema that holds the table.
    pub schema: &'a str,
    /// Whether the answer is a list or one object.
    pub shape: Shape,
    /// Whether to count all rows that match, not only those of the page.
    pub exact_count: bool,
    /// The most rows that a page may have, whatever the query asks for.
    pub max_rows: Option<u64>,
    /// The number of the first placeholder: 1 where the statement stands alone, more where it becomes a part of one
    /// that has parameters of its own.
    pub first_placeholder: usize,
}

/// A statement that answers one row with three columns:
///
/// - `body text`: the page as JSON;
/// - `page_rows bigint`: how many rows the page has;
/// - `total_rows bigint`: how many there are in all, or null where nobody asked.
///
/// It stands alone or in brackets behind `FROM`. All parameters are `text`; the statement casts each to its column's
/// type. Let it be planned with its values, unprepared (sqlx: `persistent(false)`): Postgres then casts each value once
/// and finds the plan for it, and a wrong value is an error even where no row is looked at. Timestamps and dates are
/// written and read in the session's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The statement.
    pub text: String,
    /// The values of its placeholders, in order.
    pub params: Vec<String>,
}

impl Query<'_> {
    /// Renders the query.
    ///
    /// The rows of a read model move in Postgres' heap with each event, so a client that turns pages would miss some
    /// rows and see others twice wherever the order leaves open which of two rows comes first. Hence `order` is always
    /// made complete by the columns of the key, and a page that is cut by a limit, an offset or `max_rows` has the order
    /// of the key where nobody asks for another. PostgREST adds nothing to an order.
    #[must_use]
    pub fn to_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let limit = match (self.window.limit, rendering.max_rows) {
            (Some(limit), Some(max_rows)) => Some(limit.min(max_rows)),
            (limit, max_rows) => limit.or(max_rows),
        };
        let cut = limit.is_some() || self.window.offset > 0;
        let mut sql = Writer::new(self.table.name().as_str(), rendering.first_placeholder);

        let source = format!("{}.{}", quoted(rendering.schema), sql.table);
        let select = self.select.iter().map(|selected| match &selected.alias {
            Some(alias) => format!("{} AS {}", sql.column(selected.column), quoted(alias)),
            None => sql.column(selected.column),
        });
        let select = select.collect::<Vec<_>>().join(", ");
        let conditions = sql.all(&self.conditions);
        let order = if cut || !self.order.is_empty() { sql.whole_order(self.table, &self.order) } else { Vec::new() };
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        let limit = limit.map(|limit| format!(" LIMIT {}", sql.bind(limit.to_string(), "bigint"))).unwrap_or_default();
        let offset = match self.window.offset {
            0 => String::new(),
            offset => format!(" OFFSET {}", sql.bind(offset.to_string(), "bigint")),
        };

        // `page.*` means the row even where a column or alias is called `page`.
        let body = match rendering.shape {
            Shape::List => "coalesce(json_agg(page.*), '[]')",
            Shape::Object => "coalesce(json_agg(page.*)->0, 'null')",
        };
        let total = match rendering.exact_count {
            false => "NULL::bigint".to_owned(),
            true if cut => format!("(SELECT count(*) FROM {source}{conditions})"),
            true => "count(*)".to_owned(),
        };
        let text = format!(
            "SELECT {body}::text AS body, count(*) AS page_rows, {total} AS total_rows \
             FROM (SELECT {select} FROM {source}{conditions}{order}{limit}{offset}) AS page"
        );
        Sql { text, params: sql.params }
    }
}

/// Writes SQL and keeps the values of its placeholders.
struct Writer {
    /// The table's name, quoted.
    table: String,
    first_placeholder: usize,
    params: Vec<String>,
}

impl Writer {
    fn new(table: &str, first_placeholder: usize) -> Self {
        Self { table: quoted(table), first_placeholder, params: Vec::new() }
    }

    /// A placeholder that has the type. The value comes as text and is cast by the same function that reads a literal
    /// of the type, so a wrong one fails with the same words; and the cast is on the value, not on the column, so an
    /// index on the column serves.
    fn bind(&mut self, value: String, sql_type: &str) -> String {
        let placeholder = self.first_placeholder + self.params.len();
        self.params.push(value);
        match sql_type {
            "text" => format!("${placeholder}::text"),
            _ => format!("${placeholder}::text::{sql_type}"),
        }
    }

    fn column(&self, column: &Column) -> String {
        format!("{}.{}", self.table, column.name.quoted())
    }

    /// The `WHERE` clause, if there is one.
    fn all(&mut self, conditions: &[Logic<'_>]) -> String {
        if conditions.is_empty() {
            return String::new();
        }
        let conditions: Vec<_> = conditions.iter().map(|condition| self.logic(condition)).collect();
        format!(" WHERE {}", conditions.join(" AND "))
    }

    fn logic(&mut self, logic: &Logic<'_>) -> String {
        match logic {
            Logic::Condition(condition) => self.condition(condition),
            Logic::Group { negated, connective, parts } => {
                let parts: Vec<_> = parts.iter().map(|part| self.logic(part)).collect();
                let connective = match connective {
                    Connective::And => " AND ",
                    Connective::Or => " OR ",
                };
                format!("{}({})", not(*negated), parts.join(connective))
            }
        }
    }

    fn condition(&mut self, condition: &Condition<'_>) -> String {
        let column = self.column(condition.column);
        let sql_type = condition.column.column_type.sql();
        let test = match &condition.test {
            Test::Compare(comparison, value) => {
                let operator = match comparison {
                    Comparison::Eq => "=",
                    Comparison::Neq => "<>",
                    Comparison::Gt => ">",
                    Comparison::Gte => ">=",
                    Comparison::Lt => "<",
                    Comparison::Lte => "<=",
                };
                format!("{column} {operator} {}", self.bind(value.clone(), sql_type))
            }
            Test::Like { pattern, any_case } => self.like(condition.column, pattern, *any_case),
            Test::In(values) => {
                format!("{column} = ANY ({})", self.bind(array_literal(values), &format!("{sql_type}[]")))
            }
            Test::Is(state) => {
                let state = match state {
                    State::Null => "NULL",
                    State::NotNull => "NOT NULL",
                    State::True => "TRUE",
                    State::False => "FALSE",
                    State::Unknown => "UNKNOWN",
                };
                format!("{column} IS {state}")
            }
        };
        if condition.negated { format!("NOT ({test})") } else { test }
    }

    fn like(&mut self, column: &Column, pattern: &str, any_case: bool) -> String {
        let name = self.column(column);
        // Bytes match patterns of bytes. Other types match none, and Postgres says so.
        let sql_type = if column.column_type == ColumnType::Bytes { "bytea" } else { "text" };
        let pattern = self.bind(pattern.replace('*', "%"), sql_type);
        match (any_case, column.column_type) {
            (false, _) => format!("{name} LIKE {pattern}"),
            // A column that is compared byte by byte, as keys are, knows no case beyond ASCII by itself.
            (true, ColumnType::Text) => format!("{name} COLLATE \"default\" ILIKE {pattern}"),
            (true, _) => format!("{name} ILIKE {pattern}"),
        }
    }

    /// The terms of an order in which no two rows are equal: those that were asked for, and then the columns of the key
    /// that are not among them. These run as the last term does, so that with the
    /// key `a, b` the order `a.desc` is the key's index read backward, with nothing left to sort.
    fn whole_order(&self, table: &Table, order: &[OrderTerm<'_>]) -> Vec<String> {
        let direction = order.last().and_then(|last| last.direction);
        let named = |column: &Column| order.iter().any(|term| term.column.name == column.name);
        let key = table.key_columns().filter(|column| !named(column));
        let key = key.map(|column| OrderTerm { column, direction, nulls: None });
        let asked_for = order.iter().map(|term| self.order_term(term));
        asked_for.chain(key.map(|term| self.order_term(&term))).collect()
    }

    fn order_term(&self, term: &OrderTerm<'_>) -> String {
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
        format!("{}{direction}{nulls}", self.column(term.column))
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

/// A name that is not known to be an [`Identifier`](crate::read_model::Identifier).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The literal of a Postgres array. Every element is quoted, so none is `NULL` by accident.
fn array_literal(values: &[String]) -> String {
    let quoted = |value: &String| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", values.iter().map(quoted).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
