//! Filters: `column=operator.value`.

use super::{
    cursor::{Cursor, Parsed, Stop, read},
    error::QueryError,
    field::{Field, FieldName, field},
    instant, local_time,
    operand_limits::{check_array, check_pattern, check_words},
    scope::Scope,
    value::{enclosed, list, rest},
};
use crate::read_model::{ColumnType, Index};

/// A condition on one column, or on the words of a full-text index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition<'t> {
    pub(super) operand: Operand<'t>,
    /// Whether `not.` stands before the operator.
    pub(super) negated: bool,
    pub(super) test: Test,
}

/// What a condition is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand<'t> {
    /// A column, or a path into its JSON.
    Field(Field<'t>),
    /// A full-text index, named like a column.
    Words(&'t Index),
    /// Whether there are rows of an embedding, which is the one of this index.
    Embedding(usize),
}

impl<'t> Operand<'t> {
    fn named(scope: Scope<'t, '_>, name: FieldName, test: &Test) -> Result<Self, QueryError> {
        let table = scope.table;
        let embedding = scope.embedding(&name.column).filter(|_| name.path.is_empty());
        if let (Some(embedding), Test::Is(State::Null | State::NotNull)) = (embedding, test) {
            return Ok(Self::Embedding(embedding));
        }
        match table.index(&name.column).filter(|index| index.is_full_text() && name.path.is_empty()) {
            Some(index) => Ok(Self::Words(index)),
            None if embedding.is_some() && table.column(&name.column).is_none() => {
                Err(QueryError::embedding_filter(&name.column))
            }
            None => Field::named(table, name).map(Self::Field),
        }
    }
}

impl<'t> Condition<'t> {
    fn new(operand: Operand<'t>, negated: bool, mut test: Test) -> Result<Self, QueryError> {
        let is_array = matches!(&operand, Operand::Field(field) if field.column_type().is_array());
        test.check(is_array)?;
        let field = match (&operand, &test) {
            (Operand::Field(field), _) => field,
            (Operand::Words(_), Test::FullText { .. }) => return Ok(Self { operand, negated, test }),
            (Operand::Words(index), _) => return Err(QueryError::only_words(index.name.as_str())),
            (Operand::Embedding(_), _) => return Ok(Self { operand, negated, test }),
        };
        let kept = match field.column_type() {
            ColumnType::Timestamp => Some(instant::kept as fn(String) -> Result<String, QueryError>),
            ColumnType::LocalTimestamp => Some(local_time::kept_timestamp as _),
            ColumnType::Time => Some(local_time::kept_time as _),
            _ => None,
        };
        if let Some(kept) = kept {
            test = match test {
                Test::Compare(comparison, value) => Test::Compare(comparison, kept(value)?),
                Test::In(values) => Test::In(values.into_iter().map(kept).collect::<Result<_, _>>()?),
                test => test,
            };
        }
        Ok(Self { operand, negated, test })
    }
}

/// What is asked of the column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Test {
    Compare(Comparison, String),
    /// A pattern in which `*` stands for any text, beside `%` and `_`.
    Like {
        pattern: String,
        any_case: bool,
    },
    In(Vec<String>),
    Is(State),
    /// Whether arrays or json contain what the value has.
    Contain(Containment, String),
    /// Whether words are found; in the language of the index if the query names none.
    FullText {
        form: WordsForm,
        language: Option<String>,
        query: String,
    },
}

impl Test {
    /// Checks the limits of what is compared with; `is_array` says what the column holds.
    fn check(&self, is_array: bool) -> Result<(), QueryError> {
        match self {
            Self::Like { pattern, .. } => check_pattern(pattern),
            Self::FullText { form, query, .. } => check_words(form.negation(), query),
            Self::Compare(_, value) | Self::Contain(_, value) if is_array => check_array(value),
            Self::In(values) if is_array => values.iter().try_for_each(|value| check_array(value)),
            Self::Compare(..) | Self::Contain(..) | Self::In(_) | Self::Is(_) => Ok(()),
        }
    }
}

/// What an array or json has in common with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Containment {
    /// All of the value.
    Contains,
    /// Nothing but parts of the value.
    ContainedIn,
    /// Something.
    Overlaps,
}

/// How the words that are searched for are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordsForm {
    /// With the operators `&`, `|`, `!` and `<->` of Postgres.
    Operators,
    /// As words, all of which are wanted.
    Plain,
    /// As words, in this order.
    Phrase,
    /// As in a search engine: `"a phrase" or word -without`.
    Web,
}

impl WordsForm {
    /// The operator that excludes a word.
    fn negation(self) -> Option<char> {
        match self {
            Self::Operators => Some('!'),
            Self::Web => Some('-'),
            Self::Plain | Self::Phrase => None,
        }
    }
}

/// How a value compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// What only `is` can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

/// The filter of a parameter `name=value`.
pub(super) fn filter<'t>(scope: Scope<'t, '_>, name: FieldName, value: &str) -> Result<Condition<'t>, QueryError> {
    let (negated, test) = read("filter", value, value, |cursor| expression(cursor, rest))?;
    Condition::new(Operand::named(scope, name, &test)?, negated, test)
}

/// A filter within a logic tree: `column.operator.value`.
pub(super) fn enclosed_filter<'t>(scope: Scope<'t, '_>, cursor: &mut Cursor<'_>) -> Parsed<Condition<'t>> {
    let name = field(cursor)?;
    if !cursor.delimiter() {
        return Err(Stop::Mismatch);
    }
    let (negated, test) = expression(cursor, enclosed)?;
    Ok(Condition::new(Operand::named(scope, name, &test)?, negated, test)?)
}

/// Reads the value of most operators. It depends on what may follow the value.
type ReadValue = fn(&mut Cursor<'_>) -> Parsed<String>;

/// `operator.value`, optionally with `not.` in front.
fn expression(cursor: &mut Cursor<'_>, value: ReadValue) -> Parsed<(bool, Test)> {
    let not = |cursor: &mut Cursor<'_>| {
        cursor.expect("not")?;
        if cursor.delimiter() { Ok(()) } else { Err(Stop::Mismatch) }
    };
    let negated = cursor.attempt(not)?.is_some();
    let operator = cursor.labelled("operator (eq, gt, ...)", operator)?;
    cursor.commit();
    let like = |pattern, any_case| Test::Like { pattern, any_case };
    let test = match operator {
        Operator::Compare(comparison) => Test::Compare(comparison, value(cursor)?),
        Operator::Like => like(value(cursor)?, false),
        Operator::Ilike => like(value(cursor)?, true),
        Operator::In => Test::In(list(cursor)?),
        Operator::Contain(containment) => Test::Contain(containment, value(cursor)?),
        Operator::FullText(form, language) => Test::FullText { form, language, query: value(cursor)? },
        Operator::Is => Test::Is(cursor.labelled("isVal: (null, not_null, true, false, unknown)", state)?),
    };
    Ok((negated, test))
}

enum Operator {
    Compare(Comparison),
    Contain(Containment),
    FullText(WordsForm, Option<String>),
    Like,
    Ilike,
    In,
    Is,
}

/// If one name is a prefix of another, the longer one comes first.
const OPERATORS: [(&str, Operator); 13] = [
    ("cs", Operator::Contain(Containment::Contains)),
    ("cd", Operator::Contain(Containment::ContainedIn)),
    ("ov", Operator::Contain(Containment::Overlaps)),
    ("in", Operator::In),
    ("is", Operator::Is),
    ("eq", Operator::Compare(Comparison::Eq)),
    ("neq", Operator::Compare(Comparison::Neq)),
    ("gte", Operator::Compare(Comparison::Gte)),
    ("gt", Operator::Compare(Comparison::Gt)),
    ("lte", Operator::Compare(Comparison::Lte)),
    ("lt", Operator::Compare(Comparison::Lt)),
    ("like", Operator::Like),
    ("ilike", Operator::Ilike),
];

/// Operators of PostgREST that Gnomon does not have yet.
const MISSING_OPERATORS: [&str; 8] = ["isdistinct", "match", "imatch", "sl", "sr", "nxr", "nxl", "adj"];

/// The operators that search for words. A language may follow in brackets.
const WORDS_OPERATORS: [(&str, WordsForm); 4] = [
    ("fts", WordsForm::Operators),
    ("plfts", WordsForm::Plain),
    ("phfts", WordsForm::Phrase),
    ("wfts", WordsForm::Web),
];

fn operator(cursor: &mut Cursor<'_>) -> Parsed<Operator> {
    for (name, operator) in OPERATORS {
        let reading = |cursor: &mut Cursor<'_>| {
            cursor.expect(name)?;
            if !matches!(operator, Operator::In | Operator::Is | Operator::Contain(_)) {
                refuse_quantifier(cursor, name)?;
            }
            if cursor.delimiter() { Ok(()) } else { Err(Stop::Mismatch) }
        };
        if cursor.attempt(reading)?.is_some() {
            return Ok(operator);
        }
    }
    for (name, form) in WORDS_OPERATORS {
        let reading = |cursor: &mut Cursor<'_>| {
            cursor.expect(name)?;
            let language = language(cursor)?;
            if cursor.delimiter() { Ok(language) } else { Err(Stop::Mismatch) }
        };
        if let Some(language) = cursor.attempt(reading)? {
            return Ok(Operator::FullText(form, language));
        }
    }
    for name in MISSING_OPERATORS {
        if cursor.rest().strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '('])) {
            return Err(QueryError::not_implemented(format!("The operator {name} is not implemented.")).into());
        }
    }
    Err(Stop::Mismatch)
}

/// `(english)`, or nothing. A number would be taken for the key of a configuration in Postgres.
fn language(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.literal("(") {
        return Ok(None);
    }
    let language = cursor.take_while(|next| next.is_alphanumeric() || next == '_').to_owned();
    if !language.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return Err(cursor.refuse("The language of a full-text search is a name, as in wfts(english)."));
    }
    cursor.expect(")")?;
    Ok(Some(language))
}

fn refuse_quantifier(cursor: &mut Cursor<'_>, operator: &str) -> Parsed<()> {
    if !cursor.literal("(") {
        return Ok(());
    }
    for quantifier in ["any", "all"] {
        if cursor.literal(quantifier) && cursor.literal(")") {
            let details = format!("The quantifier {quantifier} of {operator}({quantifier}) is not implemented.");
            return Err(QueryError::not_implemented(details).into());
        }
    }
    Err(Stop::Mismatch)
}

fn state(cursor: &mut Cursor<'_>) -> Parsed<State> {
    let states = [
        ("null", State::Null),
        ("not_null", State::NotNull),
        ("true", State::True),
        ("false", State::False),
        ("unknown", State::Unknown),
    ];
    let found = states.into_iter().find(|(name, _)| cursor.literal_in_any_case(name));
    found.map(|(_, state)| state).ok_or(Stop::Mismatch)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
