//! What a filter asks of a column, of the JSON in it, or of the words of a full-text index.

use super::{
    error::QueryError,
    field::{Field, FieldName},
    instant,
    limits::REGEX_CONDITIONS,
    local_time,
    operand_limits::{check_array, check_pattern, check_words},
    regex_limits::check_regex,
    scope::Scope,
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
    /// What a filter names.
    pub(super) fn named(scope: Scope<'t, '_>, name: FieldName, test: &Test) -> Result<Self, QueryError> {
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
    /// A condition whose test is within its limits, and whose times are truncated as those of columns are.
    pub(super) fn new(operand: Operand<'t>, negated: bool, test: Test) -> Result<Self, QueryError> {
        let column_type = match (&operand, &test) {
            (Operand::Field(field), _) => Some(field.column_type()),
            (Operand::Words(_), Test::FullText(_)) | (Operand::Embedding(_), _) => None,
            (Operand::Words(index), _) => return Err(QueryError::only_words(index.name.as_str())),
        };
        test.check(column_type.is_some_and(ColumnType::is_array))?;
        let kept = match column_type {
            Some(ColumnType::Timestamp) => Some(instant::kept as fn(String) -> Result<String, QueryError>),
            Some(ColumnType::LocalTimestamp) => Some(local_time::kept_timestamp as _),
            Some(ColumnType::Time) => Some(local_time::kept_time as _),
            _ => None,
        };
        let test = match kept {
            Some(kept) => test.try_map(kept)?,
            None => test,
        };
        Ok(Self { operand, negated, test })
    }

    /// As how many conditions it counts: each pattern of a list is one, and a regular expression as many as it takes Postgres to make it ready.
    pub(super) fn weight(&self) -> usize {
        match &self.test {
            Test::Pattern(kind, against) => {
                let each = if kind.is_regex() { REGEX_CONDITIONS } else { 1 };
                each * against.values().count().max(1)
            }
            _ => 1,
        }
    }
}

/// What is asked of the operand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Test {
    Compare(Comparison, Against),
    Pattern(PatternKind, Against),
    In(Vec<String>),
    Is(State),
    /// Whether it is another value, where null is a value like any other.
    IsDistinct(String),
    /// An operator of arrays, json or ranges.
    Infix(Infix, String),
    /// Whether words are found; in the language of the index if the query names none.
    FullText(Words),
}

impl Test {
    /// Checks the limits of what is compared with; `is_array` says what the column holds.
    fn check(&self, is_array: bool) -> Result<(), QueryError> {
        match self {
            Self::Pattern(kind, against) => against.values().try_for_each(|pattern| match kind.is_regex() {
                true => check_regex(pattern),
                false => check_pattern(pattern),
            }),
            Self::FullText(words) => check_words(words.form.negation(), &words.query),
            _ if !is_array => Ok(()),
            Self::Compare(_, against) => against.values().try_for_each(|value| check_array(value)),
            Self::Infix(_, value) | Self::IsDistinct(value) => check_array(value),
            Self::In(values) => values.iter().try_for_each(|value| check_array(value)),
            Self::Is(_) => Ok(()),
        }
    }

    /// The same test of other values. Patterns are no values of the column's type, nor are words.
    fn try_map(self, change: fn(String) -> Result<String, QueryError>) -> Result<Self, QueryError> {
        Ok(match self {
            Self::Compare(comparison, against) => Self::Compare(comparison, against.try_map(change)?),
            Self::In(values) => Self::In(values.into_iter().map(change).collect::<Result<_, _>>()?),
            Self::IsDistinct(value) => Self::IsDistinct(change(value)?),
            Self::Infix(infix, value) => Self::Infix(infix, change(value)?),
            test @ (Self::Pattern(..) | Self::Is(_) | Self::FullText(_)) => test,
        })
    }
}

/// What is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// A value.
    One(String),
    /// The values of a list, any or all of them; `None` is null.
    List(Quantifier, Vec<Option<String>>),
}

impl Against {
    fn values(&self) -> impl Iterator<Item = &String> {
        let (one, list) = match self {
            Self::One(value) => (Some(value), [].as_slice()),
            Self::List(_, values) => (None, values.as_slice()),
        };
        one.into_iter().chain(list.iter().flatten())
    }

    /// The same of other values.
    pub(super) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::One(value) => Self::One(change(value)),
            Self::List(quantifier, values) => {
                Self::List(*quantifier, values.iter().map(|value| value.as_deref().map(&change)).collect())
            }
        }
    }

    fn try_map(self, change: fn(String) -> Result<String, QueryError>) -> Result<Self, QueryError> {
        Ok(match self {
            Self::One(value) => Self::One(change(value)?),
            Self::List(quantifier, values) => {
                let changed = values.into_iter().map(|value| value.map(change).transpose());
                Self::List(quantifier, changed.collect::<Result<_, _>>()?)
            }
        })
    }
}

/// How many values of a list it is to hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatternKind {
    /// `*` stands for any text, beside `%` and `_`.
    Like,
    /// The same in any case.
    Ilike,
    /// A regular expression.
    Match,
    /// The same in any case.
    Imatch,
}

impl PatternKind {
    pub(super) fn is_regex(self) -> bool {
        matches!(self, Self::Match | Self::Imatch)
    }

    pub(super) fn any_case(self) -> bool {
        matches!(self, Self::Ilike | Self::Imatch)
    }
}

/// Operators that Postgres has for arrays, json and ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Infix {
    /// `cs`: it has all of the value.
    Contains,
    /// `cd`: it has nothing but parts of the value.
    ContainedIn,
    /// `ov`: it has something in common with the value.
    Overlaps,
    /// `sl`: the range is left of the value.
    StrictlyLeft,
    /// `sr`: it is right of the value.
    StrictlyRight,
    /// `nxr`: it does not extend to the right of the value.
    NotExtendsRight,
    /// `nxl`: it does not extend to the left of the value.
    NotExtendsLeft,
    /// `adj`: it is adjacent to the value.
    Adjacent,
}

/// Words that are searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) form: WordsForm,
    /// The language of the query, if it names one.
    pub(super) language: Option<String>,
    pub(super) query: String,
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
