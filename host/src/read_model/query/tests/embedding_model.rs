//! A second implementation of embeddings and aggregates: nested loops over the rows of all tables.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use crate::read_model::{Row, Table, Value, samples::json};

/// How rows of one table belong to a row of another.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) origin: &'static str,
    /// As it is written in `select`.
    pub(super) written: &'static str,
    pub(super) target: &'static str,
    pub(super) to_one: bool,
    /// Columns of the origin, and columns of the target that are equal to them.
    equal: &'static [(&'static str, &'static str)],
    /// A table between them, the columns of it that are equal to the origin's, and those that are equal to the target's.
    through: Option<(&'static str, Pairs, Pairs)>,
}

type Pairs = &'static [(&'static str, &'static str)];

const fn way(
    origin: &'static str,
    written: &'static str,
    target: &'static str,
    to_one: bool,
    equal: &'static [(&'static str, &'static str)],
) -> Way {
    Way { origin, written, target, to_one, equal, through: None }
}

/// The key of tasks in the junction, and in the table.
const TASK: Pairs = &[("project_id", "project_id"), ("number", "number")];
const PERSON: Pairs = &[("person_id", "id")];

/// Every way between the tables of the company.
pub(super) const WAYS: [Way; 17] = [
    way("clients", "projects", "projects", false, &[("id", "client_id")]),
    way("projects", "clients", "clients", true, &[("client_id", "id")]),
    way("projects", "lead_id", "people", true, &[("lead_id", "id")]),
    way("projects", "people!reviewer_id", "people", true, &[("reviewer_id", "id")]),
    way("projects", "tasks", "tasks", false, &[("id", "project_id")]),
    way("projects", "budgets", "budgets", true, &[("id", "project_id")]),
    way("budgets", "projects", "projects", true, &[("project_id", "id")]),
    way("people", "people", "people", false, &[("id", "boss_id")]),
    way("people", "boss_id", "people", true, &[("boss_id", "id")]),
    way("people", "projects!lead_id", "projects", false, &[("id", "lead_id")]),
    way("people", "assignments", "assignments", false, &[("id", "person_id")]),
    way("tasks", "projects", "projects", true, &[("project_id", "id")]),
    way("tasks", "assignments", "assignments", false, TASK),
    way("assignments", "tasks", "tasks", true, TASK),
    way("assignments", "people", "people", true, PERSON),
    Way { through: Some(("assignments", PERSON, TASK)), ..way("people", "tasks", "tasks", false, &[]) },
    Way { through: Some(("assignments", TASK, PERSON)), ..way("tasks", "people", "people", false, &[]) },
];

/// What is asked of a table.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) table: &'static str,
    pub(super) values: Vec<Asking>,
    pub(super) embedded: Vec<Embedded>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<Term>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

/// A column, or with no column the rows themselves, under a name, with a function.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) column: Option<usize>,
    pub(super) alias: String,
    pub(super) function: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Embedded {
    pub(super) way: &'static Way,
    pub(super) alias: String,
    pub(super) inner: bool,
    pub(super) spread: bool,
    pub(super) asked: Asked,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare {
        column: usize,
        operator: &'static str,
        value: i64,
    },
    Null {
        column: usize,
        not: bool,
    },
    /// Whether an embedding has nothing.
    None {
        embedded: usize,
        not: bool,
    },
    Group {
        not: bool,
        connective: &'static str,
        parts: Vec<Condition>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Term {
    /// The embedding of which it is a column, if it is of one.
    pub(super) embedded: Option<usize>,
    pub(super) column: usize,
    pub(super) descending: bool,
    pub(super) nulls_first: Option<bool>,
}

/// The rows of all tables.
pub(super) struct Data<'d> {
    pub(super) tables: &'d [Table],
    pub(super) rows: &'d [Vec<Row>],
    /// The most rows of a page and of an embedding.
    pub(super) max_rows: Option<usize>,
}

/// A value of a row of the result.
#[derive(Clone, Debug)]
struct Cell {
    name: String,
    /// As it is in the table. A value that is no column's is only shown.
    raw: Value,
    shown: Json,
    function: Option<&'static str>,
    /// The embedding that it is spread from, if it is, and the column.
    from: (Option<usize>, Option<usize>),
}

impl Asked {
    pub(super) fn is_grouped(&self) -> bool {
        self.values.iter().any(|value| value.function.is_some())
            || self.embedded.iter().any(|embedded| embedded.is_hoisted() && embedded.asked.is_grouped())
    }
}

impl Embedded {
    pub(super) fn is_hoisted(&self) -> bool {
        self.spread && self.way.to_one
    }

    fn is_empty(&self) -> bool {
        self.asked.values.is_empty() && self.asked.embedded.iter().all(Self::is_empty)
    }
}

impl Data<'_> {
    /// The page, and the number of rows of which it is a part.
    pub(super) fn answer(&self, asked: &Asked) -> (Vec<Json>, usize) {
        let all = self.rows_of(asked.table).iter().collect();
        let shown = self.shown(asked, all, usize::MAX, 0);
        let (limit, offset) = (asked.limit, asked.offset);
        let limit = limit.into_iter().chain(self.max_rows).min().unwrap_or(usize::MAX);
        let page = shown.iter().skip(offset).take(limit).map(|row| object(row)).collect();
        (page, shown.len())
    }

    fn index_of(&self, table: &str) -> usize {
        self.tables.iter().position(|its| its.name().as_str() == table).unwrap()
    }

    fn rows_of(&self, table: &str) -> &[Row] {
        &self.rows[self.index_of(table)]
    }

    fn cell<'r>(&self, table: &str, row: &'r Row, column: &str) -> &'r Value {
        let columns = self.tables[self.index_of(table)].columns();
        &row[columns.iter().position(|its| its.name.as_str() == column).unwrap()]
    }

    fn are_equal(&self, pairs: Pairs, left: (&str, &Row), right: (&str, &Row)) -> bool {
        pairs.iter().all(|(one, other)| {
            let (one, other) = (self.cell(left.0, left.1, one), self.cell(right.0, right.1, other));
            *one != Value::Null && one == other
        })
    }

    /// The rows that belong to a row.
    fn related(&self, way: &Way, row: &Row) -> Vec<&Row> {
        let targets = self.rows_of(way.target).iter();
        let Some((junction, to_origin, to_target)) = way.through else {
            return targets
                .filter(|target| self.are_equal(way.equal, (way.origin, row), (way.target, target)))
                .collect();
        };
        let of_row = self.rows_of(junction).iter();
        let of_row = of_row.filter(|between| self.are_equal(to_origin, (junction, between), (way.origin, row)));
        of_row
            .flat_map(|between| {
                let is_target =
                    move |target: &&Row| self.are_equal(to_target, (junction, between), (way.target, target));
                self.rows_of(way.target).iter().filter(is_target)
            })
            .collect()
    }

    fn holds(&self, asked: &Asked, condition: &Condition, row: &Row) -> Option<bool> {
        match condition {
            Condition::Compare { column, operator, value } => {
                let Value::I64(cell) = row[*column] else { return None };
                Some(match *operator {
                    "eq" => cell == *value,
                    "neq" => cell != *value,
                    "gt" => cell > *value,
                    _ => cell <= *value,
                })
            }
            Condition::Null { column, not } => Some((row[*column] == Value::Null) != *not),
            Condition::None { embedded, not } => Some(self.has(&asked.embedded[*embedded], row) == *not),
            Condition::Group { not, connective, parts } => {
                let parts: Vec<_> = parts.iter().map(|part| self.holds(asked, part, row)).collect();
                let decisive = *connective == "or";
                let holds = if parts.contains(&Some(decisive)) {
                    Some(decisive)
                } else if parts.contains(&None) {
                    None
                } else {
                    Some(!decisive)
                };
                holds.map(|holds| holds != *not)
            }
        }
    }

    fn has(&self, embedded: &Embedded, row: &Row) -> bool {
        !self.window(embedded, row).is_empty()
    }

    /// The rows of an embedding for a row: of several, those of its window.
    fn window(&self, embedded: &Embedded, row: &Row) -> Vec<Vec<Cell>> {
        let asked = &embedded.asked;
        let limit = if embedded.way.to_one { None } else { self.max_rows };
        let limit = asked.limit.into_iter().chain(limit).min().unwrap_or(usize::MAX);
        let related = self.related(embedded.way, row);
        if embedded.is_hoisted() {
            let cells = self.matching(asked, related).into_iter().map(|row| self.cells(asked, Some(row)));
            return cells.skip(asked.offset).take(limit).collect();
        }
        self.shown(asked, related, limit, asked.offset)
    }

    fn matching<'r>(&self, asked: &Asked, rows: Vec<&'r Row>) -> Vec<&'r Row> {
        let matches = |row: &&Row| {
            asked.conditions.iter().all(|condition| self.holds(asked, condition, row) == Some(true))
                && asked.embedded.iter().all(|embedded| !embedded.inner || self.has(embedded, row))
        };
        rows.into_iter().filter(matches).collect()
    }

    /// The rows of the result, or the groups.
    fn shown(&self, asked: &Asked, rows: Vec<&Row>, limit: usize, offset: usize) -> Vec<Vec<Cell>> {
        let mut rows = self.matching(asked, rows);
        let shown = if asked.is_grouped() {
            let cells: Vec<_> = rows.iter().map(|row| self.cells(asked, Some(row))).collect();
            self.groups(asked, cells)
        } else {
            rows.sort_by(|one, other| self.order(asked, one, other));
            rows.iter().map(|row| self.cells(asked, Some(row))).collect()
        };
        shown.into_iter().skip(offset).take(limit).collect()
    }

    fn cells(&self, asked: &Asked, row: Option<&Row>) -> Vec<Cell> {
        let mut cells = Vec::new();
        for value in &asked.values {
            let raw = match (row, value.column) {
                (None, _) => Value::Null,
                (Some(_), None) => Value::Bool(true),
                (Some(row), Some(column)) => row[column].clone(),
            };
            let (name, shown, from) = (value.alias.clone(), json(&raw), (None, value.column));
            cells.push(Cell { name, raw, shown, function: value.function, from });
        }
        for (index, embedded) in asked.embedded.iter().enumerate() {
            let name = embedded.alias.clone();
            let found = row.map(|row| self.window(embedded, row));
            let shown =
                |shown| Cell { name: name.clone(), raw: Value::Null, shown, function: None, from: (None, None) };
            let objects = |rows: &[Vec<Cell>]| rows.iter().map(|row| object(row)).collect::<Vec<_>>();
            if embedded.is_empty() {
                continue;
            }
            match (embedded.way.to_one, embedded.spread, found) {
                (true, true, found) => {
                    let first = found.and_then(|rows| rows.into_iter().next());
                    let inner = first.unwrap_or_else(|| self.cells(&embedded.asked, None));
                    cells.extend(inner.into_iter().map(|cell| Cell {
                        from: (Some(index), cell.from.1.filter(|_| cell.from.0.is_none())),
                        ..cell
                    }));
                }
                // What is embedded into nothing is nothing.
                (_, false, None) => cells.push(shown(Json::Null)),
                (true, false, Some(rows)) => cells.push(shown(objects(&rows).pop().unwrap_or(Json::Null))),
                (false, false, Some(rows)) => cells.push(shown(objects(&rows).into())),
                (false, true, found) => {
                    let names = self.cells(&embedded.asked, None);
                    for (position, named) in names.into_iter().enumerate() {
                        let values = found
                            .as_ref()
                            .map(|rows| rows.iter().map(|row| row[position].shown.clone()).collect::<Vec<_>>());
                        cells.push(Cell { name: named.name, ..shown(values.map_or(Json::Null, Json::from)) });
                    }
                }
            }
        }
        cells
    }

    fn groups(&self, asked: &Asked, rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
        let template = self.cells(asked, None);
        let keys: Vec<_> = (0..template.len()).filter(|&cell| template[cell].function.is_none()).collect();
        let key = |row: &[Cell]| keys.iter().map(|&cell| row[cell].raw.clone()).collect::<Vec<_>>();
        let mut groups: Vec<(Vec<Value>, Vec<Vec<Cell>>)> = Vec::new();
        if keys.is_empty() {
            groups.push((Vec::new(), rows));
        } else {
            for row in rows {
                let of = key(&row);
                match groups.iter_mut().find(|(its, _)| *its == of) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((of, vec![row])),
                }
            }
        }
        let descending = asked.order.last().is_some_and(|last| last.descending);
        let position = |term: &Term| {
            let is_term = |cell: &&usize| template[**cell].from == (term.embedded, Some(term.column));
            keys.iter().find(is_term).and_then(|cell| keys.iter().position(|its| its == cell)).unwrap()
        };
        groups.sort_by(|(one, _), (other, _)| {
            let asked_for = asked.order.iter().map(|term| {
                let position = position(term);
                order_values(&one[position], &other[position], term.descending, term.nulls_first)
            });
            let all = (0..keys.len()).map(|key| order_values(&one[key], &other[key], descending, None));
            asked_for.chain(all).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        });
        let result = |(_, rows): (Vec<Value>, Vec<Vec<Cell>>)| {
            let cells = template.iter().enumerate().map(|(position, cell)| match cell.function {
                None => rows[0][position].clone(),
                Some(function) => {
                    let values = rows.iter().map(|row| &row[position].raw).filter(|value| **value != Value::Null);
                    Cell { shown: aggregate(function, values.collect()), ..cell.clone() }
                }
            });
            cells.collect()
        };
        groups.into_iter().map(result).collect()
    }

    fn order(&self, asked: &Asked, one: &Row, other: &Row) -> Ordering {
        for term in &asked.order {
            let cell = |row: &Row| match term.embedded {
                None => row[term.column].clone(),
                Some(embedded) => {
                    let embedded = &asked.embedded[embedded];
                    let related = self.matching(&embedded.asked, self.related(embedded.way, row));
                    let limit = embedded.asked.limit.unwrap_or(usize::MAX);
                    let found = related.into_iter().skip(embedded.asked.offset).take(limit).next();
                    found.map_or(Value::Null, |row| row[term.column].clone())
                }
            };
            let ordering = order_values(&cell(one), &cell(other), term.descending, term.nulls_first);
            if ordering.is_ne() {
                return ordering;
            }
        }
        let descending = asked.order.last().is_some_and(|last| last.descending);
        let key = self.tables[self.index_of(asked.table)].key();
        let mut by_key = key.iter().map(|&column| order_values(&one[column], &other[column], descending, None));
        by_key.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn order_values(one: &Value, other: &Value, descending: bool, nulls_first: Option<bool>) -> Ordering {
    let nulls_first = nulls_first.unwrap_or(descending);
    match (one == &Value::Null, other == &Value::Null) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => other.cmp(one),
        (false, false) => one.cmp(other),
    }
}

fn aggregate(function: &str, values: Vec<&Value>) -> Json {
    let numbers = values.iter().filter_map(|value| match value {
        Value::I64(number) => Some(*number),
        _ => None,
    });
    match function {
        "count" => values.len().into(),
        "sum" if values.is_empty() => Json::Null,
        "sum" => numbers.sum::<i64>().into(),
        "min" => values.into_iter().min().map_or(Json::Null, json),
        _ => values.into_iter().max().map_or(Json::Null, json),
    }
}

fn object(row: &[Cell]) -> Json {
    let members = row.iter().map(|cell| (cell.name.clone(), cell.shown.clone()));
    Json::Object(members.collect::<Map<_, _>>())
}
