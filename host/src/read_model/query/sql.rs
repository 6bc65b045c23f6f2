//! Renders a query as SQL.

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;

use super::{
    Query,
    filter::{Comparison, Condition, Containment, Operand, State, Test, WordsForm},
    logic::{Connective, Logic},
    order::{Direction, Nulls, OrderTerm},
    param::Param,
};
use crate::{
    postgres::array_literal,
    read_model::{
        Column, ColumnType, Index, IndexKind, Table, full_text,
        value::{shown_in_json, sql_type as sql_type_of},
    },
};

/// The shape of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A JSON array of rows.
    #[default]
    List,
    /// The one row, as a JSON object.
    Object,
}

impl Shape {
    /// What stands before a row of the page, whose number counts from 0.
    #[must_use]
    pub fn before(self, row: u64) -> &'static str {
        match (self, row) {
            (Self::List, 0) => "[",
            // As PostgREST writes it, that is, `json_agg`.
            (Self::List, _) => ", \n ",
            (Self::Object, _) => "",
        }
    }

    /// What stands after the last one of so many rows.
    #[must_use]
    pub fn after(self, rows: u64) -> &'static str {
        match (self, rows) {
            (Self::List, 0) => "[]",
            (Self::List, _) => "]",
            (Self::Object, 0) => "null",
            (Self::Object, _) => "",
        }
    }
}

/// How to render a query, in addition to what the query says.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The schema that holds the table.
    pub schema: &'a str,
    /// Whether the result is a list or one object.
    pub shape: Shape,
    /// Whether to count all rows that match, not only those of the page.
    pub exact_count: bool,
    /// The most rows that a page may have, even if the query asks for more.
    pub max_rows: Option<u64>,
    /// The most bytes that a row may have. Of a larger one only its size is returned.
    pub max_row_bytes: Option<u64>,
    /// The number of the first placeholder: 1 for a statement on its own, more for a part of a statement that has other
    /// parameters before.
    pub first_placeholder: usize,
}

/// A statement that returns a row for each row of the page, in its order, with three columns:
///
/// - `shown text`: the row as JSON; null if it is larger than [`Rendering::max_row_bytes`]. With [`Shape::Object`] it is empty for all
///   rows but the first;
/// - `bytes integer`: the bytes of it;
/// - `total_rows bigint`: the number of rows that match, or null without [`Rendering::exact_count`].
///
/// If the page has no rows it returns one, in which the first two are null. What stands between the rows is in [`Shape::before`] and
/// [`Shape::after`].
///
/// It can be run on its own, or be used as a subquery. Timestamps and dates are formatted and parsed in the session's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    /// The statement. It casts values that are sent as texts.
    pub text: String,
    /// The values of its placeholders, in order.
    pub params: Vec<Param>,
    /// Whether it is worth to be prepared (sqlx: `persistent`): all values are of the types that it wants. Where Postgres has to read some
    /// of them, it is to be planned with them each time: so each is read once and not for each row, and an invalid one is
    /// reported even if no row is read.
    pub can_be_prepared: bool,
    /// Whether what it finds may depend on when it is run: a time is read by Postgres from a word such as `now` or `yesterday`.
    pub depends_on_clock: bool,
}

impl Query<'_> {
    /// Renders the query.
    ///
    /// Updates move rows in Postgres' heap, so if the order of two rows were undefined, a client that reads page by page could
    /// miss rows or see them twice. Hence the columns of the key complete every `order`, and a page that is cut by a limit, an
    /// offset or `max_rows` is ordered by the key if the query has no order. PostgREST adds nothing to an order.
    #[must_use]
    pub fn to_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let limit = match (self.window.limit, rendering.max_rows) {
            (Some(limit), Some(max_rows)) => Some(limit.min(max_rows)),
            (limit, max_rows) => limit.or(max_rows),
        };
        let cut = limit.is_some() || self.window.offset > 0;
        let mut sql = Writer::new(self.table, rendering.first_placeholder);

        let source = format!("{}.{}", quoted(rendering.schema), sql.table);
        let select = self.select.iter().map(|selected| {
            let column = sql.column(selected.column);
            let shown = shown_in_json(selected.column.column_type, &column);
            match (&selected.alias, shown) {
                (Some(alias), shown) => format!("{} AS {}", shown.unwrap_or(column), quoted(alias)),
                (None, Some(shown)) => format!("{shown} AS {}", selected.column.name.quoted()),
                (None, None) => column,
            }
        });
        let select = select.collect::<Vec<_>>().join(", ");
        let conditions = sql.all(&self.conditions);
        let order = if cut || !self.order.is_empty() { sql.whole_order(self.table, &self.order) } else { Vec::new() };
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        // A number and no placeholder: whether the rows of a page are few decides how they are found.
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let offset = match self.window.offset {
            0 => String::new(),
            offset => format!(" OFFSET {}", sql.bind(offset.to_string(), "bigint")),
        };

        // `page.*` means the row even if a column or alias is called `page`.
        let row = match rendering.shape {
            Shape::List => "row_to_json(page.*)::text",
            Shape::Object => "CASE WHEN row_number() OVER () = 1 THEN row_to_json(page.*)::text ELSE '' END",
        };
        let shown = match rendering.max_row_bytes {
            Some(max) => format!("CASE WHEN octet_length(shown) <= {max} THEN shown END AS shown"),
            None => "shown".to_owned(),
        };
        let total = match rendering.exact_count {
            false => "NULL::bigint".to_owned(),
            true => format!("(SELECT count(*) FROM {source}{conditions})"),
        };
        // OFFSET 0 keeps Postgres from making the JSON of a row once more for its size.
        let text = format!(
            "SELECT shown, bytes, total_rows FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes FROM (SELECT {row} AS shown \
             FROM (SELECT {select} FROM {source}{conditions}{order}{limit}{offset}) AS page OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        let Writer { params, can_be_prepared, depends_on_clock, .. } = sql;
        Sql { text, params, can_be_prepared, depends_on_clock }
    }
}

/// The configuration for words of which no language is known. That of the server's settings would differ from server to server.
const NO_LANGUAGE: &str = "pg_catalog.simple";

/// Whether a value may be another one at another time: `now`, `today 10:00`. Of letters, a plain time has those between day and time and of UTC
/// only, and no such word is made of them.
fn may_be_read_by_the_clock(value: &str, sql_type: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"-+:., TtZz".contains(&byte);
    (sql_type.starts_with("time") || sql_type.starts_with("date")) && !value.bytes().all(is_plain)
}

/// Writes SQL and collects the values of its placeholders.
struct Writer<'t> {
    declared: &'t Table,
    /// The table's name, quoted.
    table: String,
    first_placeholder: usize,
    params: Vec<Param>,
    can_be_prepared: bool,
    depends_on_clock: bool,
}

impl<'t> Writer<'t> {
    fn new(declared: &'t Table, first_placeholder: usize) -> Self {
        let table = declared.name().quoted();
        Self { declared, table, first_placeholder, params: Vec::new(), can_be_prepared: true, depends_on_clock: false }
    }

    /// A placeholder for a value of a type.
    fn bind(&mut self, value: String, sql_type: &str) -> String {
        match Param::of_type(&value, sql_type) {
            Some(param) => self.placeholder(param, sql_type),
            None => self.bind_text(value, sql_type),
        }
    }

    /// A placeholder for an array of values of a type.
    fn bind_array(&mut self, values: &[String], sql_type: &str) -> String {
        let array_type = format!("{sql_type}[]");
        match Param::of_array(values, sql_type) {
            Some(param) => self.placeholder(param, &array_type),
            None => self.bind_text(array_literal(values), &array_type),
        }
    }

    fn placeholder(&mut self, param: Param, sql_type: &str) -> String {
        let placeholder = self.first_placeholder + self.params.len();
        self.params.push(param);
        format!("${placeholder}::{sql_type}")
    }

    /// A placeholder for a value that is sent as a text, and cast by the function that parses literals of the type, so an invalid value fails
    /// with the same message. The cast is on the value, not on the column, so an index on the column can be used.
    fn bind_text(&mut self, value: String, sql_type: &str) -> String {
        self.can_be_prepared = false;
        self.depends_on_clock |= may_be_read_by_the_clock(&value, sql_type);
        let text = self.placeholder(Param::Text(value), "text");
        format!("{text}::{sql_type}")
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
        let test = match condition.operand {
            Operand::Column(column) => self.test(column, &condition.test),
            Operand::Words(index) => self.words(index, &condition.test),
        };
        if condition.negated { format!("NOT ({test})") } else { test }
    }

    fn test(&mut self, tested: &Column, test: &Test) -> String {
        let column = self.column(tested);
        let sql_type = sql_type_of(tested.column_type);
        match test {
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
            Test::Like { pattern, any_case } => self.like(tested, pattern, *any_case),
            Test::In(values) if tested.column_type.is_array() => self.in_arrays(&column, values, sql_type),
            Test::In(values) => {
                format!("{column} = ANY ({})", self.bind_array(values, sql_type))
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
            Test::Contain(containment, value) => {
                let operator = match containment {
                    Containment::Contains => "@>",
                    Containment::ContainedIn => "<@",
                    Containment::Overlaps => "&&",
                };
                format!("{column} {operator} {}", self.bind(value.clone(), sql_type))
            }
            Test::FullText { form, language, query } => {
                let language = language.as_deref().unwrap_or(NO_LANGUAGE);
                let text = match tested.column_type.has_words() {
                    true => full_text::bounded(&column, MAX_FULL_TEXT_CHARS),
                    false => column,
                };
                let words = format!("to_tsvector({}, {text})", self.bind(language.to_owned(), "regconfig"));
                format!("{words} @@ {}", self.words_query(*form, language, query))
            }
        }
    }

    /// A test of the words of a full-text index, which repeats the expression of the index.
    fn words(&mut self, index: &Index, test: &Test) -> String {
        // Another test is refused as it is read.
        let (IndexKind::FullText { language: own, .. }, Test::FullText { form, language, query }) = (&index.kind, test)
        else {
            return "NULL".to_owned();
        };
        let words = full_text::words(self.declared, index, &format!("{}.", self.table));
        format!("({words}) @@ {}", self.words_query(*form, language.as_deref().unwrap_or(own), query))
    }

    fn words_query(&mut self, form: WordsForm, language: &str, query: &str) -> String {
        let function = match form {
            WordsForm::Operators => "to_tsquery",
            WordsForm::Plain => "plainto_tsquery",
            WordsForm::Phrase => "phraseto_tsquery",
            WordsForm::Web => "websearch_to_tsquery",
        };
        format!("{function}({}, {})", self.bind(language.to_owned(), "regconfig"), self.bind(query.to_owned(), "text"))
    }

    /// Whether the column is one of several arrays. An array of arrays would be one array of two dimensions for Postgres.
    fn in_arrays(&mut self, column: &str, values: &[String], sql_type: &str) -> String {
        if values.is_empty() {
            return "FALSE".to_owned();
        }
        let values: Vec<_> = values.iter().map(|value| self.bind(value.clone(), sql_type)).collect();
        format!("{column} IN ({})", values.join(", "))
    }

    fn like(&mut self, column: &Column, pattern: &str, any_case: bool) -> String {
        let name = self.column(column);
        // Bytes are matched with patterns of bytes. For other types Postgres reports that they have no such operator.
        let sql_type = if column.column_type == ColumnType::Bytes { "bytea" } else { "text" };
        let pattern = self.bind(pattern.replace('*', "%"), sql_type);
        match (any_case, column.column_type) {
            // Postgres before 18 has no patterns in a collation that ignores case. A Postgres that has the collation of these
            // columns has this one, which knows the case of all letters in every database.
            (_, ColumnType::CiText) => format!("{name} COLLATE pg_catalog.\"und-x-icu\" ILIKE {pattern}"),
            (false, _) => format!("{name} LIKE {pattern}"),
            // In the collation "C" of keys, ILIKE ignores case for ASCII letters only.
            (true, ColumnType::Text) => format!("{name} COLLATE \"default\" ILIKE {pattern}"),
            (true, _) => format!("{name} ILIKE {pattern}"),
        }
    }

    /// The terms of an order in which no two rows are equal: those of the query, then the columns of the key that are not among
    /// them. The latter have the direction of the last term, so that with the key `a, b` the order `a.desc` is a backward scan of
    /// the key's index, without a sort.
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

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
