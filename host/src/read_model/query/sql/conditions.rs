//! `WHERE`: conditions and what joins them.

use super::writer::Writer;
use crate::read_model::{
    ColumnType,
    query::{
        condition::{Against, Comparison, Condition, Infix, Operand, PatternKind, Quantifier, State, Test},
        field::Field,
        logic::{Connective, Logic},
        resource::Resource,
    },
    value::sql_type as sql_type_of,
};

impl<'q> Writer<'q> {
    /// The `WHERE` clause of the resource, if there is one; `joined` says to which rows of others its rows belong.
    pub(super) fn conditions(&mut self, joined: Vec<String>) -> String {
        let Resource { conditions, embeddings, .. } = self.resource;
        let mut all = joined;
        all.extend(conditions.iter().map(|condition| self.logic(condition)));
        all.extend(embeddings.iter().filter(|embedding| embedding.inner).map(|embedding| self.exists(embedding)));
        if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
    }

    /// A condition, or several that are joined.
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
        let test = match (&condition.operand, &condition.test) {
            (Operand::Field(field), test) => self.test(field, test),
            (Operand::Words(index), Test::FullText(words)) => self.index_has(index, words),
            (Operand::Embedding(index), test) => {
                let exists = self.exists(&self.resource.embeddings[*index]);
                if matches!(test, Test::Is(State::NotNull)) { exists } else { format!("NOT {exists}") }
            }
            // Another test is refused as it is read.
            (Operand::Words(_), _) => "NULL".to_owned(),
        };
        if condition.negated { format!("NOT ({test})") } else { test }
    }

    fn test(&mut self, tested: &Field<'_>, test: &Test) -> String {
        let field = self.field(tested);
        let column_type = tested.column_type();
        let sql_type = sql_type_of(column_type);
        match test {
            Test::Compare(comparison, against) => {
                let operator = match comparison {
                    Comparison::Eq => "=",
                    Comparison::Neq => "<>",
                    Comparison::Gt => ">",
                    Comparison::Gte => ">=",
                    Comparison::Lt => "<",
                    Comparison::Lte => "<=",
                };
                match against {
                    Against::List(quantifier, values) if column_type.is_array() => {
                        self.arrays(&format!("{field} {operator}"), *quantifier, values, sql_type)
                    }
                    against => format!("{field} {operator} {}", self.against(against, sql_type)),
                }
            }
            Test::Pattern(kind, against) => self.pattern(&field, column_type, *kind, against),
            Test::In(values) if column_type.is_array() => self.in_arrays(&field, values, sql_type),
            Test::In(values) => format!("{field} = ANY ({})", self.bind_array(values, sql_type)),
            Test::IsDistinct(value) => format!("{field} IS DISTINCT FROM {}", self.bind(value.clone(), sql_type)),
            Test::Is(state) => {
                let state = match state {
                    State::Null => "NULL",
                    State::NotNull => "NOT NULL",
                    State::True => "TRUE",
                    State::False => "FALSE",
                    State::Unknown => "UNKNOWN",
                };
                format!("{field} IS {state}")
            }
            Test::Infix(infix, value) => {
                let operator = match infix {
                    Infix::Contains => "@>",
                    Infix::ContainedIn => "<@",
                    Infix::Overlaps => "&&",
                    Infix::StrictlyLeft => "<<",
                    Infix::StrictlyRight => ">>",
                    Infix::NotExtendsRight => "&<",
                    Infix::NotExtendsLeft => "&>",
                    Infix::Adjacent => "-|-",
                };
                format!("{field} {operator} {}", self.bind(value.clone(), sql_type))
            }
            Test::FullText(words) => self.text_has(&field, column_type, words),
        }
    }

    /// The right side of an operator.
    fn against(&mut self, against: &Against, sql_type: &str) -> String {
        match against {
            Against::One(value) => self.bind(value.clone(), sql_type),
            Against::List(quantifier, values) => {
                let quantifier = match quantifier {
                    Quantifier::Any => "ANY",
                    Quantifier::All => "ALL",
                };
                format!("{quantifier} ({})", self.bind_nullable_array(values, sql_type))
            }
        }
    }

    /// Whether the column is one of several arrays. An array of arrays would be one array of two dimensions for Postgres.
    fn in_arrays(&mut self, field: &str, values: &[String], sql_type: &str) -> String {
        if values.is_empty() {
            return "FALSE".to_owned();
        }
        let values: Vec<_> = values.iter().map(|value| self.bind(value.clone(), sql_type)).collect();
        format!("{field} IN ({})", values.join(", "))
    }

    /// A comparison with any or all of several arrays, one by one for the same reason. `left` ends in the operator.
    fn arrays(&mut self, left: &str, quantifier: Quantifier, values: &[Option<String>], sql_type: &str) -> String {
        let (connective, none) = match quantifier {
            Quantifier::Any => (" OR ", "FALSE"),
            Quantifier::All => (" AND ", "TRUE"),
        };
        if values.is_empty() {
            return none.to_owned();
        }
        let each = values.iter().map(|value| match value {
            Some(value) => format!("{left} {}", self.bind(value.clone(), sql_type)),
            None => format!("{left} NULL::{sql_type}"),
        });
        format!("({})", each.collect::<Vec<_>>().join(connective))
    }

    fn pattern(&mut self, field: &str, column_type: ColumnType, kind: PatternKind, against: &Against) -> String {
        // Bytes are matched with patterns of bytes, and have no regular expressions. For other types Postgres reports that they have no such
        // operator.
        let is_bytes = column_type == ColumnType::Bytes && !kind.is_regex();
        let sql_type = if is_bytes { "bytea" } else { "text" };
        let against = match kind.is_regex() {
            true => against.clone(),
            false => against.map(|pattern| pattern.replace('*', "%")),
        };
        let right = self.against(&against, sql_type);
        let [as_it_is, any_case] = if kind.is_regex() { ["~", "~*"] } else { ["LIKE", "ILIKE"] };
        match (kind.any_case(), column_type) {
            // Postgres has no regular expressions, and before 18 no patterns, in a collation that ignores case. A Postgres that has the
            // collation of these columns has this one, which knows the case of all letters in every database.
            (_, ColumnType::CiText) => format!("{field} COLLATE pg_catalog.\"und-x-icu\" {any_case} {right}"),
            (false, _) => format!("{field} {as_it_is} {right}"),
            // In the collation "C" of keys, only the case of ASCII letters is ignored.
            (true, ColumnType::Text) => format!("{field} COLLATE \"default\" {any_case} {right}"),
            (true, _) => format!("{field} {any_case} {right}"),
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}
