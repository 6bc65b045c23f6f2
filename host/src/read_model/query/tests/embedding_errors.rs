//! Errors of embeddings, and of the parameters that belong to them.

use super::company::{company, parsed};
use crate::read_model::query::{
    Catalog, ErrorCode, MAX_CONDITIONS, MAX_EMBEDDINGS, MAX_REPEATED, MAX_SELECTED, MAX_WRITTEN_CONDITIONS, Query,
    QueryError,
};

fn complaint(table: &str, query: &str) -> QueryError {
    match parsed(&company(), table, query) {
        Err(error) => error,
        Ok(_) => panic!("{table}?{query} is accepted"),
    }
}

fn refused(
    code: &str,
    message: &str,
    details: Option<&str>,
    hint: Option<&str>,
) -> (String, String, Option<String>, Option<String>) {
    (code.to_owned(), message.to_owned(), details.map(str::to_owned), hint.map(str::to_owned))
}

fn parts(error: QueryError) -> (String, String, Option<String>, Option<String>) {
    (error.code.as_str().to_owned(), error.message, error.details, error.hint)
}

#[test]
fn paths_lead_to_what_is_embedded_only() {
    for (query, name) in [
        ("select=id&clients.name=eq.x", "clients"),
        ("select=clients(id)&client.order=id", "client"),
        ("select=clients(id)&clients.projects.limit=1", "projects"),
        ("select=tasks(id)&not.tasks.or=(id.eq.1)", "not"),
        ("select=clients(id)&order=client(name)", "client"),
    ] {
        let query = query.replace("tasks(id)", "tasks(number)");
        let message = format!("'{name}' is not an embedded resource in this request");
        let hint = format!("Verify that '{name}' is included in the 'select' query parameter.");
        assert_eq!(parts(complaint("projects", &query)), refused("PGRST108", &message, None, Some(&hint)), "{query}");
    }
}

#[test]
fn only_one_row_can_be_ordered_by() {
    for (query, name) in
        [("select=*,projects(*)&order=projects(id)", "projects"), ("select=p:projects(*)&order=p(id)", "p")]
    {
        assert_eq!(
            parts(complaint("clients", query)),
            refused(
                "PGRST118",
                &format!("A related order on '{name}' is not possible"),
                Some(&format!("'clients' and '{name}' do not form a many-to-one or one-to-one relationship")),
                None
            )
        );
    }
}

#[test]
fn an_embedding_is_there_or_not() {
    for query in [
        "select=clients(*)&clients=eq.1",
        "select=clients(*)&or=(id.eq.1,clients.is.true)",
        "select=c:clients(*)&c=not.in.(1)",
    ] {
        let name = if query.contains("c:") { "c" } else { "clients" };
        assert_eq!(
            parts(complaint("projects", query)),
            refused(
                "PGRST120",
                &format!("Bad operator on the '{name}' embedded resource"),
                Some("Only is null or not is null filters are allowed on embedded resources"),
                None
            ),
            "{query}"
        );
    }
    // The column of the reference is meant.
    let tables = company();
    assert!(parsed(&tables, "projects", "select=client_id(*)&client_id=eq.1").is_ok());
}

#[test]
fn names_are_those_of_the_embedded_table() {
    for (query, column) in [
        ("select=clients(nam)", "clients.nam"),
        ("select=clients(id)&clients.nam=eq.1", "clients.nam"),
        ("select=clients(id)&clients.order=nam", "clients.nam"),
        ("select=clients(id)&order=clients(nam)", "clients.nam"),
        ("select=clients(id)&clients.or=(nam.eq.1)", "clients.nam"),
        ("select=c:clients(id)&nam=eq.1", "projects.nam"),
    ] {
        let error = complaint("projects", query);
        assert_eq!(
            (error.code.as_str(), error.message),
            ("42703", format!("column {column} does not exist")),
            "{query}"
        );
    }
}

#[test]
fn a_relationship_is_missing_before_a_column_is() {
    for (query, code) in [
        ("select=nam,client(id)", "PGRST200"),
        ("select=nam::nonsense,clients(nam,client(id))", "PGRST200"),
        ("select=clients(nam),people(id)", "PGRST201"),
        ("select=nam,clients(id)", "42703"),
        ("select=clients(nam),name::nonsense", "42703"),
        ("select=name::nonsense,clients(nam)", "42704"),
    ] {
        assert_eq!(complaint("projects", query).code.as_str(), code, "{query}");
    }
}

#[test]
fn groups_are_ordered_by_what_they_are_made_by() {
    for (table, query, column) in [
        ("projects", "select=client_id,count()&order=name", "projects.name"),
        ("projects", "select=client_id::text,count()&order=client_id", "projects.client_id"),
        ("projects", "select=id.max()&order=id", "projects.id"),
        ("clients", "select=name,projects(client_id,count())&projects.order=id", "projects.id"),
        ("projects", "select=count(),...clients(name)&order=clients(id)", "clients.id"),
        ("projects", "select=count(),clients(name)&order=clients(name)", "clients.name"),
        ("projects", "select=id,clients(count())&order=clients(name)", "clients.name"),
    ] {
        let message =
            format!("column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function");
        assert_eq!(parts(complaint(table, query)), refused("42803", &message, None, None), "{query}");
    }
}

#[test]
fn aggregates_of_arrays_are_not_implemented() {
    for (table, query) in [
        ("clients", "select=...projects(id.sum())"),
        ("clients", "select=id,...projects(count())"),
        ("clients", "select=...projects(count)"),
        ("clients", "select=...projects(...budgets(amount.sum()))"),
    ] {
        assert_eq!(
            parts(complaint(table, query)),
            refused(
                "PGRST127",
                "Feature not implemented",
                Some("Aggregates are not implemented for one-to-many or many-to-many spreads."),
                None
            ),
            "{query}"
        );
    }
}

#[test]
fn a_host_may_refuse_aggregates() {
    let tables = company();
    let catalog = Catalog { projection: "company", tables: tables.iter().collect(), aggregates: false };
    let clients = catalog.table("clients").unwrap();
    for query in [
        "select=count()",
        "select=count",
        "select=id.max()",
        "select=id,projects(count())",
        "select=...projects(id.sum())",
    ] {
        let error = Query::parse_in(&catalog, clients, query).unwrap_err();
        let expected = refused("PGRST123", "Use of aggregate functions is not allowed", None, None);
        assert_eq!(parts(error), expected, "{query}");
    }
    assert!(Query::parse_in(&catalog, clients, "select=id,projects(id)").is_ok());
}

#[test]
fn two_embeddings_of_one_name_are_refused() {
    for query in
        ["select=clients(id),clients(name)", "select=c:clients(id),c:tasks(name)", "select=...clients(id),clients(id)"]
    {
        let error = complaint("projects", query);
        assert_eq!(error.code, ErrorCode::Postgres("42712".into()), "{query}");
        assert!(error.message.ends_with("specified more than once"), "{}", error.message);
    }
    assert!(parsed(&company(), "projects", "select=clients(id),c:clients(name)").is_ok());
}

#[test]
fn a_parameter_is_given_once_for_each_resource() {
    for (query, key) in [
        ("order=id&order=name", "order"),
        ("limit=1&id=eq.1&limit=2", "limit"),
        ("offset=1&offset=1", "offset"),
        ("select=c:clients(*)&c.order=id&clients.order=name", "clients.order"),
        ("select=c:clients(*)&c.limit=1&c.limit=2", "c.limit"),
    ] {
        let error = complaint("projects", query);
        assert_eq!(
            (error.code.as_str(), error.message),
            ("PGRST100", format!("the parameter \"{key}\" is given twice"))
        );
    }
    assert!(
        parsed(&company(), "projects", "select=clients(*),tasks(*)&order=id&clients.order=id&tasks.order=name").is_ok()
    );
}

#[test]
fn what_is_embedded_is_limited() {
    let tables = company();
    let embeddings = |count: usize| {
        let names = (0..count).map(|number| format!("a{number}:clients(id)"));
        format!("select={}", names.collect::<Vec<_>>().join(","))
    };
    assert!(parsed(&tables, "projects", &embeddings(MAX_EMBEDDINGS)).is_ok());
    let columns = |count: usize| vec!["id"; count].join(",");
    // Each table of a filter is written for the rows that are asked for, for those that are shown, and for each time that it is asked for.
    let asked = |count: usize| {
        let filters = "&clients.id=gt.0".repeat(100);
        format!("select=clients!inner(id){filters}&and=({})", vec!["clients.not.is.null"; count].join(","))
    };
    assert!(parsed(&tables, "projects", &asked(10)).is_ok());
    for (query, what, limit) in [
        (embeddings(MAX_EMBEDDINGS + 1), "embedded resources", MAX_EMBEDDINGS),
        (format!("select=clients({})", columns(MAX_REPEATED + 2)), "columns that are selected again", MAX_REPEATED),
        (format!("select=clients({})", vec!["*"; MAX_SELECTED / 3 + 1].join(",")), "selected columns", MAX_SELECTED),
        (
            format!("select=clients(*){}", "&clients.id=gt.0&id=gt.0".repeat(MAX_CONDITIONS / 2 + 1)),
            "conditions",
            MAX_CONDITIONS,
        ),
        (asked(20), "conditions within embeddings", MAX_WRITTEN_CONDITIONS),
    ] {
        let error = complaint("projects", &query);
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!(error.message, format!("the query has too many {what}"));
        assert_eq!(error.details, Some(format!("At most {limit} are allowed.")));
    }
}
