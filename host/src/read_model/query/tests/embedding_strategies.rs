//! Random rows of the company's tables, and random queries with embeddings.

use std::fmt::Write;

use gnomon_values::Instant;

use super::embedding_model::{Asked, Asking, Condition, Embedded, Term, WAYS};
use crate::read_model::{ColumnType, Decimal, Row, Table, Value};

/// Choices made of bytes: a test that fails is made smaller by removing and lowering them. Of nothing, the first is chosen.
pub(super) struct Choices<'b>(pub(super) std::slice::Iter<'b, u8>);

impl Choices<'_> {
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count
    }

    /// Once in so many times.
    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }
}

/// Rows with different keys; references often lead somewhere, and sometimes nowhere.
pub(super) fn rows(choices: &mut Choices<'_>, table: &Table) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..choices.below(9) {
        let row: Row = table
            .columns()
            .iter()
            .map(|column| {
                if column.nullable && choices.once_in(4) {
                    return Value::Null;
                }
                match column.column_type {
                    ColumnType::I64 => Value::I64(i64::try_from(choices.below(5)).unwrap()),
                    ColumnType::Text => Value::Text(choices.of(&["a", "b", "é", "\"x\",y"]).to_owned()),
                    ColumnType::Decimal => Value::Decimal(Decimal::parse(choices.of(&["1.5", "10", "-3.25"])).unwrap()),
                    ColumnType::Timestamp => Value::Timestamp(Instant(choices.of(&[0, 951_782_400_000_000, -1]))),
                    _ => Value::Null,
                }
            })
            .collect();
        if rows.iter().all(|other| table.key_of(other) != table.key_of(&row)) {
            rows.push(row);
        }
    }
    rows
}

/// What is asked of one of the tables.
pub(super) fn asked(choices: &mut Choices<'_>, tables: &[Table]) -> Asked {
    let table = choices.of(&["projects", "clients", "people", "tasks", "assignments", "budgets"]);
    let mut names = 0;
    let grouped = choices.once_in(4);
    let mut asked = resource(choices, tables, table, 3, &mut names, if grouped { Groups::Own } else { Groups::None });
    // Nothing selected would be all columns.
    if asked.values.is_empty() && asked.embedded.is_empty() {
        asked.values.push(Asking { column: Some(0), alias: "v".to_owned(), function: None });
    }
    if asked.order.is_empty() && !asked.is_grouped() {
        let column = declared(tables, table).key()[0];
        asked.order = vec![Term { embedded: None, column, descending: false, nulls_first: None }];
    }
    asked
}

#[derive(Clone, Copy, PartialEq)]
enum Groups {
    None,
    /// The resource shows values of groups.
    Own,
    /// It is spread into groups.
    Spread,
}

fn declared<'t>(tables: &'t [Table], name: &str) -> &'t Table {
    tables.iter().find(|table| table.name().as_str() == name).unwrap()
}

fn resource(
    choices: &mut Choices<'_>,
    tables: &[Table],
    table: &'static str,
    depth: usize,
    names: &mut usize,
    groups: Groups,
) -> Asked {
    let columns = declared(tables, table).columns();
    let mut name = |letter: char| {
        *names += 1;
        format!("{letter}{names}")
    };
    let values = (0..choices.below(4)).map(|_| {
        let function =
            (groups != Groups::None && choices.once_in(2)).then(|| choices.of(&["count", "sum", "min", "max"]));
        let fitting: Vec<_> = (0..columns.len())
            .filter(|&column| match function {
                Some("sum") => columns[column].column_type == ColumnType::I64,
                Some("min" | "max") => columns[column].column_type != ColumnType::Json,
                _ => columns[column].column_type != ColumnType::Json,
            })
            .collect();
        let column = Some(choices.of(&fitting)).filter(|_| function != Some("count") || choices.once_in(2));
        Asking { column, alias: name('v'), function }
    });
    let mut values: Vec<_> = values.collect();
    if groups == Groups::Own && values.iter().all(|value| value.function.is_none()) {
        values.push(Asking { column: None, alias: name('v'), function: Some("count") });
    }
    let mut embedded = Vec::new();
    for _ in 0..if depth == 0 { 0 } else { choices.below(3) } {
        // Groups are made by values that have a known order: not by objects and arrays.
        let ways: Vec<_> =
            WAYS.iter().filter(|way| way.origin == table && (groups == Groups::None || way.to_one)).collect();
        if ways.is_empty() {
            continue;
        }
        let way = choices.of(&ways);
        let spread = groups != Groups::None || choices.once_in(3);
        let within = match (groups, spread, choices.once_in(4)) {
            (Groups::Own | Groups::Spread, ..) => Groups::Spread,
            (Groups::None, false, true) => Groups::Own,
            _ => Groups::None,
        };
        *names += 1;
        let alias = if spread { way.written.split('!').next().unwrap().to_owned() } else { format!("e{names}") };
        if embedded.iter().any(|other: &Embedded| other.alias == alias) {
            continue;
        }
        let asked = resource(choices, tables, way.target, depth - 1, names, within);
        embedded.push(Embedded { way, alias, inner: choices.once_in(3), spread, asked });
    }
    let mut asked =
        Asked { table, values, embedded, conditions: Vec::new(), order: Vec::new(), limit: None, offset: 0 };
    asked.conditions = (0..choices.below(3)).map(|_| condition(choices, tables, &asked, 2)).collect();
    asked.order = (0..choices.below(3)).filter_map(|_| term(choices, tables, &asked)).collect();
    if choices.once_in(3) {
        asked.limit = Some(choices.below(4));
    }
    if choices.once_in(4) {
        asked.offset = choices.below(3);
    }
    asked
}

fn condition(choices: &mut Choices<'_>, tables: &[Table], asked: &Asked, depth: usize) -> Condition {
    let columns = declared(tables, asked.table).columns();
    match choices.below(5) {
        0 | 1 => {
            let numbers: Vec<_> =
                (0..columns.len()).filter(|&column| columns[column].column_type == ColumnType::I64).collect();
            let (column, operator) = (choices.of(&numbers), choices.of(&["neq", "eq", "gt", "lte"]));
            Condition::Compare { column, operator, value: i64::try_from(choices.below(5)).unwrap() }
        }
        2 if !asked.embedded.is_empty() => {
            Condition::None { embedded: choices.below(asked.embedded.len()), not: choices.once_in(2) }
        }
        3 if depth > 0 => {
            let parts = (0..1 + choices.below(3)).map(|_| condition(choices, tables, asked, depth - 1)).collect();
            Condition::Group { not: choices.once_in(3), connective: choices.of(&["or", "and"]), parts }
        }
        _ => {
            // Where an embedding has the name of a column, it is the embedding that is asked for.
            let is_column =
                |column: &usize| asked.embedded.iter().all(|its| its.alias != columns[*column].name.as_str());
            let possible: Vec<_> = (0..columns.len()).filter(is_column).collect();
            Condition::Null { column: choices.of(&possible), not: choices.once_in(2) }
        }
    }
}

fn term(choices: &mut Choices<'_>, tables: &[Table], asked: &Asked) -> Option<Term> {
    let to_one: Vec<_> = (0..asked.embedded.len()).filter(|&index| asked.embedded[index].way.to_one).collect();
    let embedded = (!to_one.is_empty() && choices.once_in(3)).then(|| choices.of(&to_one));
    let of = embedded.map_or(asked, |index| &asked.embedded[index].asked);
    let columns = declared(tables, of.table).columns();
    // Of groups, only what they are made by.
    let shown: Vec<_> =
        of.values.iter().filter(|value| value.function.is_none()).filter_map(|value| value.column).collect();
    let possible: Vec<_> = (0..columns.len())
        .filter(|column| columns[*column].column_type != ColumnType::Json)
        .filter(|column| !(asked.is_grouped() || of.is_grouped()) || shown.contains(column))
        .collect();
    // A value of one group within a row is another row's.
    if possible.is_empty() || embedded.is_some_and(|index| !asked.embedded[index].spread && of.is_grouped()) {
        return None;
    }
    let column = choices.of(&possible);
    Some(Term {
        embedded,
        column,
        descending: choices.once_in(2),
        nulls_first: choices.of(&[None, Some(true), Some(false)]),
    })
}

/// The query string.
pub(super) fn url(tables: &[Table], asked: &Asked) -> String {
    let mut url = format!("select={}", select(tables, asked));
    parameters(tables, asked, "", &mut url);
    url
}

fn select(tables: &[Table], asked: &Asked) -> String {
    let columns = declared(tables, asked.table).columns();
    let values = asked.values.iter().map(|Asking { column, alias, function }| {
        let column = column.map(|column| columns[column].name.as_str());
        match (column, function) {
            (Some(column), None) => format!("{alias}:{column}"),
            (Some(column), Some(function)) => format!("{alias}:{column}.{function}()"),
            (None, _) => format!("{alias}:count()"),
        }
    });
    let embedded = asked.embedded.iter().map(|Embedded { way, alias, inner, spread, asked }| {
        let name = if *spread { "...".to_owned() } else { format!("{alias}:") };
        format!("{name}{}{}({})", way.written, if *inner { "!inner" } else { "" }, select(tables, asked))
    });
    values.chain(embedded).collect::<Vec<_>>().join(",")
}

fn parameters(tables: &[Table], asked: &Asked, path: &str, url: &mut String) {
    let columns = declared(tables, asked.table).columns();
    for condition in &asked.conditions {
        let _ = match condition {
            Condition::Group { not, connective, parts } => {
                let not = if *not { "not." } else { "" };
                write!(url, "&{path}{not}{connective}={}", group(tables, asked, parts))
            }
            condition => {
                let (name, test) = filter(tables, asked, condition);
                write!(url, "&{path}{name}={test}")
            }
        };
    }
    if !asked.order.is_empty() {
        let terms = asked.order.iter().map(|term| {
            let direction = if term.descending { ".desc" } else { "" };
            let nulls = match term.nulls_first {
                None => "",
                Some(true) => ".nullsfirst",
                Some(false) => ".nullslast",
            };
            let by = match term.embedded {
                None => columns[term.column].name.to_string(),
                Some(index) => {
                    let embedded = &asked.embedded[index];
                    let column = &declared(tables, embedded.asked.table).columns()[term.column].name;
                    format!("{}({column})", embedded.alias)
                }
            };
            format!("{by}{direction}{nulls}")
        });
        let _ = write!(url, "&{path}order={}", terms.collect::<Vec<_>>().join(","));
    }
    if let Some(limit) = asked.limit {
        let _ = write!(url, "&{path}limit={limit}");
    }
    if asked.offset > 0 {
        let _ = write!(url, "&{path}offset={}", asked.offset);
    }
    for embedded in &asked.embedded {
        parameters(tables, &embedded.asked, &format!("{path}{}.", embedded.alias), url);
    }
}

fn filter(tables: &[Table], asked: &Asked, condition: &Condition) -> (String, String) {
    let columns = declared(tables, asked.table).columns();
    let name = |column: usize| columns[column].name.to_string();
    let null = |not: bool| if not { "not.is.null" } else { "is.null" }.to_owned();
    match condition {
        Condition::Compare { column, operator, value } => (name(*column), format!("{operator}.{value}")),
        Condition::Null { column, not } => (name(*column), null(*not)),
        Condition::None { embedded, not } => (asked.embedded[*embedded].alias.clone(), null(*not)),
        Condition::Group { .. } => panic!("a group has no name"),
    }
}

fn group(tables: &[Table], asked: &Asked, parts: &[Condition]) -> String {
    let parts = parts.iter().map(|part| match part {
        Condition::Group { not, connective, parts } => {
            format!("{}{connective}{}", if *not { "not." } else { "" }, group(tables, asked, parts))
        }
        part => {
            let (name, test) = filter(tables, asked, part);
            format!("{name}.{test}")
        }
    });
    format!("({})", parts.collect::<Vec<_>>().join(","))
}
