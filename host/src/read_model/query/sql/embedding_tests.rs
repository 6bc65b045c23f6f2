use insta::assert_snapshot;

use super::super::{
    rendering::{Rendering, Total},
    shape::Shape,
    tests::company::{company, parsed},
};

/// The statement that makes the rows, its clauses on lines of their own, and its values.
fn rendered(table: &str, query: &str, max_row_bytes: Option<u64>) -> String {
    let rendering = Rendering {
        schema: "s",
        rows: None,
        shape: Shape::List,
        total: Total::Exact,
        max_rows: Some(100),
        max_row_bytes,
        first_placeholder: 1,
        next_values: false,
    };
    let tables = company();
    let sql = parsed(&tables, table, query).unwrap().to_sql(&rendering);
    let mut text = sql.text;
    for clause in [" FROM ", " LEFT JOIN", " WHERE", " AND ", " GROUP BY", " ORDER BY"] {
        text = text.replace(clause, &format!("\n{}", &clause[1..]));
    }
    format!("{table}?{query}\n\n{text}\n\n{:?}", sql.params)
}

#[test]
fn one_row_is_an_object() {
    assert_snapshot!(rendered("projects", "select=id,clients(name)&name=eq.x&clients.id=gt.1", None));
}

#[test]
fn rows_are_an_array() {
    assert_snapshot!(rendered("people", "select=id,tasks(name,done)&tasks.order=hours.desc&tasks.limit=3", None));
}

#[test]
fn an_array_is_no_larger_than_a_row_may_be() {
    assert_snapshot!(rendered("clients", "select=id,...projects(id)&projects.offset=1", Some(1000)));
}

#[test]
fn what_is_asked_for_is_looked_up() {
    assert_snapshot!(rendered(
        "clients",
        "select=id,p:projects!inner(tasks()),other:projects()&p.tasks=not.is.null&or=(id.eq.1,other.is.null)",
        None
    ));
}

#[test]
fn rows_are_ordered_by_the_one_that_is_embedded() {
    assert_snapshot!(rendered("projects", "select=id,clients(name)&order=clients(doc->>a).desc,id", None));
}

#[test]
fn groups_are_made_of_what_is_shown() {
    assert_snapshot!(rendered(
        "tasks",
        "select=number,hours::numeric.sum()::text,...projects(clients(name),...budgets(amount.sum(),count()))&order=number.desc",
        None
    ));
}
