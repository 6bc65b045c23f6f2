//! `WHERE`: conditions and what joins them.

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;

use super::writer::Writer;
use crate::read_model::{
    ColumnType, Index, IndexKind, full_text,
    query::{
        field::Field,
        filter::{Comparison, Condition, Containment, Operand, State, Test, WordsForm},
        logic::{Connective, Logic},
        resource::Resource,
    },
    value::sql_type as sql_type_of,
};

/// The configuration for words of which no language is known. That of the server's settings would differ from server to server.
const NO_LANGUAGE: &str = "pg_catalog.simple";

impl<'q> Writer<'q> {
    /// The `WHERE` clause of the resource, if there is one; `joined` says to which rows of others its rows belong.
    pub(super) fn conditions(&mut self, joined: Vec<String>) -> String {
        let Resource { conditions, embeddings, .. } = self.resource;
        let mut all = joined;
        all.extend(conditions.iter().map(|condition| self.logic(condition)));
        all.extend(embeddings.iter().filter(|embedding| embedding.inner).map(|embedding| self.exists(embedding)));
        if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
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
        let test = match &condition.operand {
            Operand::Field(field) => self.test(field, &condition.test),
            Operand::Words(index) => self.words(index, &condition.test),
            Operand::Embedding(index) => {
                let exists = self.exists(&self.resource.embeddings[*index]);
                if matches!(condition.test, Test::Is(State::NotNull)) { exists } else { format!("NOT {exists}") }
            }
        };
        if condition.negated { format!("NOT ({test})") } else { test }
    }

    fn test(&mut self, tested: &Field<'_>, test: &Test) -> String {
        let column = self.field(tested);
        let column_type = tested.column_type();
        let sql_type = sql_type_of(column_type);
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
            Test::In(values) if column_type.is_array() => self.in_arrays(&column, values, sql_type),
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
                let text = match column_type.has_words() {
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
        let words = full_text::words(self.resource.table, index, &format!("{}.", self.table));
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

    fn like(&mut self, tested: &Field<'_>, pattern: &str, any_case: bool) -> String {
        let (name, column_type) = (self.field(tested), tested.column_type());
        // Bytes are matched with patterns of bytes. For other types Postgres reports that they have no such operator.
        let sql_type = if column_type == ColumnType::Bytes { "bytea" } else { "text" };
        let pattern = self.bind(pattern.replace('*', "%"), sql_type);
        match (any_case, column_type) {
            // Postgres before 18 has no patterns in a collation that ignores case. A Postgres that has the collation of these
            // columns has this one, which knows the case of all letters in every database.
            (_, ColumnType::CiText) => format!("{name} COLLATE pg_catalog.\"und-x-icu\" ILIKE {pattern}"),
            (false, _) => format!("{name} LIKE {pattern}"),
            // In the collation "C" of keys, ILIKE ignores case for ASCII letters only.
            (true, ColumnType::Text) => format!("{name} COLLATE \"default\" ILIKE {pattern}"),
            (true, _) => format!("{name} ILIKE {pattern}"),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}
