//! Placeholders and names.

use crate::{
    postgres::array_literal,
    read_model::{
        Column, ColumnType, Table,
        query::{
            field::Field,
            json_path::{Step, StepTo},
            next_page::LastRow,
            param::Param,
            rendering::Rendering,
            resource::Resource,
        },
    },
};

/// Whether a value may be another one at another time: `now`, `today 10:00`. Of letters, a plain time has those between day and time and of UTC
/// only, and no such word is made of them.
fn may_be_read_by_the_clock(value: &str, sql_type: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || b"-+:., TtZz".contains(&byte);
    (sql_type.starts_with("time") || sql_type.starts_with("date")) && !value.bytes().all(is_plain)
}

/// Writes SQL and collects the values of its placeholders.
pub(super) struct Writer<'q> {
    /// What is being written: the table that is asked, or an embedding.
    pub(super) resource: &'q Resource<'q>,
    /// The name of its table in the statement, quoted.
    pub(super) table: String,
    /// The schema that holds all tables, quoted.
    schema: String,
    /// What has the rows of the table that is asked, if that is not the table.
    rows: Option<&'q str>,
    /// The most rows of a page, and of an embedding in each row.
    pub(super) max_rows: Option<u64>,
    /// Whether what is embedded is read for few rows at a time, so that looking each of them up is the least work.
    pub(super) few_rows: bool,
    /// The most bytes of a row, with all that is embedded.
    pub(super) max_row_bytes: Option<u64>,
    /// After which row of the table that is asked the page begins.
    pub(super) last_row: Option<&'q LastRow>,
    first_placeholder: usize,
    pub(super) params: Vec<Param>,
    pub(super) can_be_prepared: bool,
    pub(super) depends_on_clock: bool,
}

impl<'q> Writer<'q> {
    pub(super) fn new(root: &'q Resource<'q>, rendering: &Rendering<'q>) -> Self {
        Self {
            resource: root,
            table: root.table.name().quoted(),
            schema: quoted(rendering.schema),
            rows: rendering.rows,
            max_rows: rendering.max_rows,
            few_rows: false,
            max_row_bytes: rendering.max_row_bytes,
            last_row: None,
            first_placeholder: rendering.first_placeholder,
            params: Vec::new(),
            can_be_prepared: true,
            depends_on_clock: false,
        }
    }

    /// Writes something of a resource that is embedded.
    pub(super) fn within<T>(&mut self, resource: &'q Resource<'q>, write: impl FnOnce(&mut Self) -> T) -> T {
        let outer = (self.resource, std::mem::replace(&mut self.table, numbered("embedding", resource.number)));
        self.resource = resource;
        let written = write(self);
        (self.resource, self.table) = outer;
        written
    }

    /// A table with its schema.
    pub(super) fn qualified(&self, table: &Table) -> String {
        format!("{}.{}", self.schema, table.name().quoted())
    }

    /// The rows of the table that is asked, under its name.
    pub(super) fn root(&self) -> String {
        match self.rows {
            Some(rows) => format!("{rows} AS {}", self.table),
            None => self.qualified(self.resource.table),
        }
    }

    /// A placeholder for a value of a type.
    pub(super) fn bind(&mut self, value: String, sql_type: &str) -> String {
        match Param::of_type(&value, sql_type) {
            Some(param) => self.placeholder(param, sql_type),
            None => self.bind_text(value, sql_type),
        }
    }

    /// A placeholder for an array of values of a type.
    pub(super) fn bind_array(&mut self, values: &[String], sql_type: &str) -> String {
        let array_type = format!("{sql_type}[]");
        match Param::of_array(values, sql_type) {
            Some(param) => self.placeholder(param, &array_type),
            None => self.bind_text(array_literal(values), &array_type),
        }
    }

    /// A placeholder for an array of values of a type, some of which may be null.
    pub(super) fn bind_nullable_array(&mut self, values: &[Option<String>], sql_type: &str) -> String {
        match values.iter().cloned().collect::<Option<Vec<_>>>() {
            Some(values) => self.bind_array(&values, sql_type),
            None => {
                let elements = values.iter().map(|value| match value {
                    Some(value) => array_literal([value]).trim_matches(['{', '}']).to_owned(),
                    None => "NULL".to_owned(),
                });
                let literal = format!("{{{}}}", elements.collect::<Vec<_>>().join(","));
                self.bind_text(literal, &format!("{sql_type}[]"))
            }
        }
    }

    pub(super) fn placeholder(&mut self, param: Param, sql_type: &str) -> String {
        let placeholder = self.first_placeholder + self.params.len();
        self.params.push(param);
        format!("${placeholder}::{sql_type}")
    }

    /// A placeholder for a value that is sent as a text, and cast by the function that parses literals of the type, so an invalid value fails
    /// with the same message. The cast is on the value, not on the column, so an index on the column can be used.
    pub(super) fn bind_text(&mut self, value: String, sql_type: &str) -> String {
        self.can_be_prepared = false;
        self.depends_on_clock |= may_be_read_by_the_clock(&value, sql_type);
        let text = self.placeholder(Param::Text(value), "text");
        format!("{text}::{sql_type}")
    }

    pub(super) fn column(&self, column: &Column) -> String {
        format!("{}.{}", self.table, column.name.quoted())
    }

    /// A column, or what a path leads to in its JSON: for columns of other types in the JSON that they would be.
    pub(super) fn field(&self, field: &Field<'_>) -> String {
        let column = self.column(field.column);
        if field.path.is_empty() {
            return column;
        }
        let json = match field.column.column_type {
            ColumnType::Json => column,
            _ => format!("to_jsonb({column})"),
        };
        let steps: String = field.path.steps.iter().map(step).collect();
        format!("({json}{steps})")
    }
}

/// The arrow and the operand of a step. Keys are literals and no placeholders: a selection and a `GROUP BY` are then the same expression, and
/// errors of Postgres name the types that PostgREST's do.
fn step(step: &Step) -> String {
    let arrow = if step.as_text { "->>" } else { "->" };
    match &step.to {
        StepTo::Key(key) => format!("{arrow}{}", literal(key)),
        StepTo::Index(index) => format!("{arrow}{}::int", literal(index)),
    }
}

/// A text as a literal of unknown type. It means the same whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// A name in the statement for something of a resource. No table has it, since it has a blank.
pub(super) fn numbered(what: &str, number: usize) -> String {
    format!("\"{what} {number}\"")
}

/// A name that is not known to be an [`Identifier`](crate::read_model::Identifier).
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literals_end_where_they_should() {
        for (text, expected) in
            [("a", "'a'"), ("it's", "'it''s'"), (r"\", r" E'\\'"), (r"\'; --", r" E'\\''; --'"), ("", "''")]
        {
            assert_eq!(literal(text), expected);
        }
    }
}
