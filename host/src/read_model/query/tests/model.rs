//! A second implementation of queries: a naive evaluation without the parser and without SQL.

use std::{cmp::Ordering, fmt::Write};

use crate::read_model::{
    Column, Row, Table, Value,
    samples::{json, text},
};

/// A condition on a row, or several. `not` is part of each.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare { column: usize, not: bool, operator: &'static str, value: Value },
    In { column: usize, not: bool, values: Vec<Value> },
    Like { column: usize, not: bool, operator: &'static str, pattern: String },
    Is { column: usize, not: bool, state: &'static str },
    Group { not: bool, connective: &'static str, parts: Vec<Condition> },
}

/// A column to order by, with its direction and the order of nulls as in the query string.
#[derive(Clone, Debug)]
pub(super) struct OrderTerm {
    pub(super) column: usize,
    pub(super) direction: &'static str,
    pub(super) nulls: &'static str,
}

/// A query.
#[derive(Clone, Debug)]
pub(super) struct ModelQuery {
    /// Columns and their aliases; all columns if it is empty.
    pub(super) select: Vec<(usize, Option<String>)>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<OrderTerm>,
    pub(super) limit: Option<usize>,
    pub(super) offset: Option<usize>,
}

impl Condition {
    /// Whether the condition is true, false or, as `None`, unknown.
    pub(super) fn holds(&self, row: &Row) -> Option<bool> {
        let (not, holds) = match self {
            Self::Compare { column, not, operator, value } => (not, compare(operator, &row[*column], value)),
            Self::In { column, not, values } => {
                let equal = |value| compare("eq", &row[*column], value);
                (not, any(values.iter().map(equal)))
            }
            Self::Like { column, not, operator, pattern } => (not, like(&row[*column], pattern, *operator == "ilike")),
            Self::Is { column, not, state } => {
                let holds = match (*state, &row[*column]) {
                    ("null" | "unknown", cell) => *cell == Value::Null,
                    ("not_null", cell) => *cell != Value::Null,
                    ("true", cell) => *cell == Value::Bool(true),
                    (_, cell) => *cell == Value::Bool(false),
                };
                (not, Some(holds))
            }
            Self::Group { not, connective, parts } => {
                let parts = parts.iter().map(|part| part.holds(row));
                let holds = match *connective {
                    "or" => any(parts),
                    // All hold unless any one fails.
                    _ => any(parts.map(|holds| holds.map(|holds| !holds))).map(|fails| !fails),
                };
                (not, holds)
            }
        };
        holds.map(|holds| holds != *not)
    }
}

pub(super) fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}

pub(super) fn compare(operator: &str, cell: &Value, value: &Value) -> Option<bool> {
    if *cell == Value::Null {
        return None;
    }
    let ordering = order(cell, value);
    Some(match operator {
        "eq" => ordering.is_eq(),
        "neq" => ordering.is_ne(),
        "gt" => ordering.is_gt(),
        "gte" => ordering.is_ge(),
        "lt" => ordering.is_lt(),
        _ => ordering.is_le(),
    })
}

/// The order of values of one type. The order of JSON is not tested, only whether it is equal.
fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::CiText(one), Value::CiText(other)) => without_case(one).cmp(&without_case(other)),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::I64(one), Value::I64(other)) => one.cmp(other),
        (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
        (Value::LocalTimestamp(one), Value::LocalTimestamp(other)) => one.cmp(other),
        (Value::Date(one), Value::Date(other)) => one.cmp(other),
        (Value::Time(one), Value::Time(other)) => one.cmp(other),
        // NaN is greater than all others, and there is only one NaN and one zero.
        (Value::F64(one), Value::F64(other)) => one.get().total_cmp(&other.get()),
        // Those of the tests have at most eleven digits before the point and sixteen after it.
        (Value::Decimal(one), Value::Decimal(other)) => scaled(one.as_str()).cmp(&scaled(other.as_str())),
        (Value::Uuid(one), Value::Uuid(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Bytes(one), Value::Bytes(other)) => one.cmp(other),
        (Value::Json(one), Value::Json(other)) => one.as_str().cmp(other.as_str()),
        // Element by element; the start of an array is less than the array.
        (Value::TextArray(one), Value::TextArray(other)) => one.cmp(other),
        (Value::I64Array(one), Value::I64Array(other)) => one.cmp(other),
        (Value::F64Array(one), Value::F64Array(other)) => {
            let each = one.iter().zip(other).map(|(one, other)| one.get().total_cmp(&other.get()));
            each.chain([one.len().cmp(&other.len())]).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }
        (Value::UuidArray(one), Value::UuidArray(other)) => one.cmp(other),
        (one, other) => panic!("{one:?} and {other:?} are of two types"),
    }
}

fn scaled(text: &str) -> i128 {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{integer}{fraction:0<16}").parse().unwrap()
}

/// What the order of case-insensitive texts compares, of the letters that the tests have: first all base letters, then all accents.
fn without_case(text: &str) -> (Vec<usize>, Vec<bool>) {
    let letters: Vec<char> = text.to_lowercase().chars().collect();
    let base = |letter: &char| "_%abe".chars().position(|base| base == if *letter == 'é' { 'e' } else { *letter });
    (
        letters.iter().map(|letter| base(letter).unwrap()).collect(),
        letters.iter().map(|letter| *letter == 'é').collect(),
    )
}

pub(super) fn like(cell: &Value, pattern: &str, any_case: bool) -> Option<bool> {
    let (text, any_case) = match cell {
        Value::Text(text) => (text, any_case),
        Value::CiText(text) => (text, true),
        _ => return None,
    };
    let fold = |text: &str| if any_case { text.to_lowercase() } else { text.to_owned() };
    let (text, pattern): (Vec<_>, Vec<_>) = (fold(text).chars().collect(), fold(pattern).chars().collect());
    Some(matches(&text, &pattern))
}

fn matches(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%' | '*', further @ ..] => (0..=text.len()).any(|start| matches(&text[start..], further)),
        ['\\', escaped, further @ ..] => text.first() == Some(escaped) && matches(&text[1..], further),
        ['_', further @ ..] => !text.is_empty() && matches(&text[1..], further),
        [letter, further @ ..] => text.first() == Some(letter) && matches(&text[1..], further),
    }
}

impl OrderTerm {
    fn order(&self, one: &Row, other: &Row) -> Ordering {
        let (one, other) = (&one[self.column], &other[self.column]);
        let descending = self.direction == ".desc";
        let nulls_first = match self.nulls {
            "" => descending,
            nulls => nulls == ".nullsfirst",
        };
        let null = |first: bool| if first { Ordering::Less } else { Ordering::Greater };
        match (one == &Value::Null, other == &Value::Null) {
            (true, true) => Ordering::Equal,
            (true, false) => null(nulls_first),
            (false, true) => null(!nulls_first),
            (false, false) if descending => order(other, one),
            (false, false) => order(one, other),
        }
    }
}

impl ModelQuery {
    /// The rows that match, in the order of the query, then by key in the direction of the last term.
    pub(super) fn matching<'r>(&self, rows: &'r [Row]) -> Vec<&'r Row> {
        let all_hold = |row: &&Row| self.conditions.iter().all(|condition| condition.holds(row) == Some(true));
        let mut matching: Vec<_> = rows.iter().filter(all_hold).collect();
        let descending = self.order.last().is_some_and(|last| last.direction == ".desc");
        let by_key = |one: &Row, other: &Row| {
            let ordering = order(&one[0], &other[0]);
            if descending { ordering.reverse() } else { ordering }
        };
        matching.sort_by(|one, other| self.order(one, other).then_with(|| by_key(one, other)));
        matching
    }

    /// The order of two rows by the terms of the query.
    fn order(&self, one: &Row, other: &Row) -> Ordering {
        self.order
            .iter()
            .map(|term| term.order(one, other))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The JSON of a row.
    pub(super) fn json(&self, table: &Table, row: &Row) -> serde_json::Value {
        let columns = table.columns();
        let all = || (0..columns.len()).map(|column| (column, None)).collect();
        let select = if self.select.is_empty() { all() } else { self.select.clone() };
        let cells = select
            .into_iter()
            .map(|(column, alias)| (alias.unwrap_or_else(|| columns[column].name.to_string()), json(&row[column])));
        serde_json::Value::Object(cells.collect())
    }

    /// The query string.
    pub(super) fn url(&self, table: &Table) -> String {
        let columns = table.columns();
        let mut url = String::new();
        let mut add = |key: &str, value: &str| _ = write!(url, "&{}={}", encoded(key), encoded(value));
        if !self.select.is_empty() {
            let item = |(column, alias): &(usize, Option<String>)| match alias {
                Some(alias) => format!("{}:{}", in_quotes(alias), columns[*column].name),
                None => columns[*column].name.to_string(),
            };
            add("select", &self.select.iter().map(item).collect::<Vec<_>>().join(","));
        }
        for condition in &self.conditions {
            match condition {
                Condition::Group { not, connective, parts } => {
                    add(&format!("{}{connective}", negation(*not)), &group(columns, parts));
                }
                condition => {
                    let (column, expression) = expression(condition, str::to_owned);
                    add(columns[column].name.as_str(), &expression);
                }
            }
        }
        if !self.order.is_empty() {
            let term = |term: &OrderTerm| format!("{}{}{}", columns[term.column].name, term.direction, term.nulls);
            add("order", &self.order.iter().map(term).collect::<Vec<_>>().join(","));
        }
        for (key, number) in [("limit", self.limit), ("offset", self.offset)] {
            if let Some(number) = number {
                add(key, &number.to_string());
            }
        }
        url
    }
}

fn group(columns: &[Column], parts: &[Condition]) -> String {
    let part = |condition: &Condition| match condition {
        Condition::Group { not, connective, parts } => {
            format!("{}{connective}{}", negation(*not), group(columns, parts))
        }
        condition => {
            let (column, expression) = expression(condition, in_quotes);
            format!("{}.{expression}", columns[column].name)
        }
    };
    format!("({})", parts.iter().map(part).collect::<Vec<_>>().join(","))
}

/// The column of a condition, and `operator.value`.
fn expression(condition: &Condition, write_value: impl Fn(&str) -> String) -> (usize, String) {
    let (column, not, text) = match condition {
        Condition::Compare { column, not, operator, value } => {
            (column, not, format!("{operator}.{}", write_value(&text(value))))
        }
        Condition::In { column, not, values } => {
            let values: Vec<_> = values.iter().map(|value| in_quotes(&text(value))).collect();
            (column, not, format!("in.({})", values.join(",")))
        }
        Condition::Like { column, not, operator, pattern } => {
            (column, not, format!("{operator}.{}", write_value(pattern)))
        }
        Condition::Is { column, not, state } => (column, not, format!("is.{state}")),
        Condition::Group { .. } => panic!("a group has no column"),
    };
    (*column, format!("{}{text}", negation(*not)))
}

fn negation(not: bool) -> &'static str {
    if not { "not." } else { "" }
}

pub(super) fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
