//! Tables that refer to each other in every way.

use crate::read_model::{
    ColumnType, ReferenceDeclaration, Table, TableDeclaration,
    query::{Catalog, Query, QueryError},
    samples::{column, declaration, nullable},
};

/// A table with references to others.
pub(in crate::read_model::query) fn referring(declaration: TableDeclaration, references: &[(&[&str], &str)]) -> Table {
    let reference = |(columns, table): &(&[&str], &str)| ReferenceDeclaration {
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        table: (*table).to_owned(),
    };
    Table::check(&TableDeclaration { references: references.iter().map(reference).collect(), ..declaration }).unwrap()
}

/// Clients have projects, which two people look after, and tasks, to which people are assigned. Each person may have a boss, each project a
/// budget.
pub(in crate::read_model::query) fn company() -> Vec<Table> {
    use ColumnType::{Decimal, I64, Json, Text, Timestamp};
    let clients = [column("id", I64), nullable("name", Text), nullable("doc", Json)];
    let people = [column("id", I64), nullable("name", Text), nullable("boss_id", I64)];
    let projects = [
        column("id", I64),
        nullable("name", Text),
        nullable("client_id", I64),
        nullable("lead_id", I64),
        nullable("reviewer_id", I64),
    ];
    let budgets = [column("project_id", I64), nullable("amount", Decimal)];
    let tasks = [
        column("project_id", I64),
        column("number", I64),
        nullable("name", Text),
        nullable("hours", I64),
        nullable("done", Timestamp),
    ];
    let assignments =
        [column("project_id", I64), column("number", I64), column("person_id", I64), nullable("role", Text)];
    vec![
        referring(declaration("clients", clients, &["id"]), &[]),
        referring(declaration("people", people, &["id"]), &[(&["boss_id"], "people")]),
        referring(
            declaration("projects", projects, &["id"]),
            &[(&["client_id"], "clients"), (&["lead_id"], "people"), (&["reviewer_id"], "people")],
        ),
        referring(declaration("budgets", budgets, &["project_id"]), &[(&["project_id"], "projects")]),
        referring(declaration("tasks", tasks, &["project_id", "number"]), &[(&["project_id"], "projects")]),
        referring(
            declaration("assignments", assignments, &["project_id", "number", "person_id"]),
            &[(&["project_id", "number"], "tasks"), (&["person_id"], "people")],
        ),
    ]
}

/// Parses a query on one of the tables.
pub(in crate::read_model::query) fn parsed<'t>(
    tables: &'t [Table],
    table: &str,
    query: &str,
) -> Result<Query<'t>, QueryError> {
    let catalog = Catalog { projection: "company", tables: tables.iter().collect(), aggregates: true };
    let table = catalog.table(table).unwrap();
    Query::parse_in(&catalog, table, query)
}
