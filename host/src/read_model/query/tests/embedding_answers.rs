//! Results of embeddings, spreads, casts and aggregates, from a real Postgres.

use super::{
    company::{company, parsed},
    database::{Database, SCHEMA, list},
};
use crate::read_model::{
    Table,
    query::{QueryError, Rendering},
};

struct Company {
    database: Database,
    tables: Vec<Table>,
}

impl Company {
    fn create() -> Self {
        let (database, tables) = (Database::create(), company());
        for table in &tables {
            database.create_table(table);
        }
        for (table, rows) in [
            (
                "clients",
                r#"(1, 'Ace', '{"city": {"name": "Bern"}, "tags": ["a"]}'), (2, 'Bolt', 'null'), (3, NULL, NULL)"#,
            ),
            ("people", "(1, 'Ann', NULL), (2, 'Ben', 1), (3, 'Cy', 1), (4, 'Di', 2)"),
            (
                "projects",
                "(1, 'Mill', 1, 1, 2), (2, 'Dam', 1, 2, 1), (3, 'Port', 2, 1, NULL), (4, 'Lost', NULL, NULL, 9)",
            ),
            ("budgets", "(1, 10.50), (3, 2)"),
            (
                "tasks",
                "(1, 1, 'dig', 3, '2024-02-29 12:00:00+00'), (1, 2, 'wall', 5, NULL), (2, 1, 'plan', 2, '2024-03-01 00:00:00.5+00'), \
                 (3, 1, 'dredge', NULL, NULL)",
            ),
            ("assignments", "(1, 1, 2, 'lead'), (1, 1, 3, NULL), (1, 2, 2, 'help'), (2, 1, 4, 'lead')"),
        ] {
            let schema = SCHEMA.replace('"', "\"\"");
            database.execute(format!("INSERT INTO \"{schema}\".{table} VALUES {rows}"));
        }
        Self { database, tables }
    }

    fn answer(&self, table: &str, query: &str, rendering: &Rendering<'_>) -> Result<(String, Option<i64>), QueryError> {
        let query = parsed(&self.tables, table, query)?;
        let answer = self.database.answer_to(&query, rendering)?;
        Ok((without_blanks(&answer.body), answer.total_rows))
    }

    fn check(&self, table: &str, queries: &[(&str, &str)]) {
        for (query, expected) in queries {
            for max_row_bytes in [None, Some(1 << 20)] {
                let rendering = Rendering { max_row_bytes, max_rows: Some(100), ..list() };
                let answer = self.answer(table, query, &rendering);
                assert_eq!(answer.map(|(body, _)| body), Ok(without_blanks(expected)), "{table}?{query}");
            }
        }
    }
}

/// JSON without what Postgres writes between values, which is one thing for rows and another for arrays.
fn without_blanks(json: &str) -> String {
    json.replace(", \n ", ",").replace(", ", ",").replace(": ", ":")
}

#[test]
fn references_are_followed_in_both_directions() {
    let company = Company::create();
    company.check(
        "projects",
        &[
            (
                "select=name,clients(name)&order=id",
                r#"[{"name":"Mill","clients":{"name":"Ace"}},{"name":"Dam","clients":{"name":"Ace"}},{"name":"Port","clients":{"name":"Bolt"}},{"name":"Lost","clients":null}]"#,
            ),
            ("select=client_id(name)&id=eq.1", r#"[{"client_id":{"name":"Ace"}}]"#),
            ("select=clients(id),name&id=eq.1", r#"[{"name":"Mill","clients":{"id":1}}]"#),
            (
                "select=lead:lead_id(name),reviewer:people!reviewer_id(name)&order=id",
                r#"[{"lead":{"name":"Ann"},"reviewer":{"name":"Ben"}},{"lead":{"name":"Ben"},"reviewer":{"name":"Ann"}},{"lead":{"name":"Ann"},"reviewer":null},{"lead":null,"reviewer":null}]"#,
            ),
            (
                "select=id,budgets(amount)&order=id",
                r#"[{"id":1,"budgets":{"amount":10.50}},{"id":2,"budgets":null},{"id":3,"budgets":{"amount":2}},{"id":4,"budgets":null}]"#,
            ),
            (
                "select=id,tasks(number,done)&id=lt.4",
                r#"[{"id":1,"tasks":[{"number":1,"done":"2024-02-29T12:00:00Z"},{"number":2,"done":null}]},{"id":2,"tasks":[{"number":1,"done":"2024-03-01T00:00:00.5Z"}]},{"id":3,"tasks":[{"number":1,"done":null}]}]"#,
            ),
            ("select=id,tasks(*)&id=eq.4", r#"[{"id":4,"tasks":[]}]"#),
            (
                "select=id,tasks(name,people(name))&id=eq.1",
                r#"[{"id":1,"tasks":[{"name":"dig","people":[{"name":"Ben"},{"name":"Cy"}]},{"name":"wall","people":[{"name":"Ben"}]}]}]"#,
            ),
        ],
    );
    company.check(
        "people",
        &[
            (
                "select=name,boss:boss_id(name),team:people(name)&order=id&limit=2",
                r#"[{"name":"Ann","boss":null,"team":[{"name":"Ben"},{"name":"Cy"}]},{"name":"Ben","boss":{"name":"Ann"},"team":[{"name":"Di"}]}]"#,
            ),
            ("select=name,boss:boss_id(name,boss:boss_id(name))&id=eq.4", r#"[{"name":"Di","boss":{"name":"Ben","boss":{"name":"Ann"}}}]"#),
        ],
    );
}

#[test]
fn embeddings_have_filters_orders_and_limits_of_their_own() {
    let company = Company::create();
    company.check(
        "clients",
        &[
            (
                "select=id,projects(id)&projects.order=id.desc&projects.id=gt.1&order=id",
                r#"[{"id":1,"projects":[{"id":2}]},{"id":2,"projects":[{"id":3}]},{"id":3,"projects":[]}]"#,
            ),
            ("select=p:projects(id)&id=eq.1&p.limit=1&p.offset=1", r#"[{"p":[{"id":2}]}]"#),
            ("select=p:projects(id)&id=eq.1&projects.limit=1", r#"[{"p":[{"id":1}]}]"#),
            (
                "select=projects(id,tasks(number))&id=eq.1&projects.tasks.name=like.d*",
                r#"[{"projects":[{"id":1,"tasks":[{"number":1}]},{"id":2,"tasks":[]}]}]"#,
            ),
            ("select=projects(id)&id=eq.1&projects.or=(id.eq.2,name.eq.x)", r#"[{"projects":[{"id":2}]}]"#),
            ("select=projects(id)&id=eq.1&projects.not.and=(id.eq.2,name.eq.Dam)", r#"[{"projects":[{"id":1}]}]"#),
            // The row is there, and nothing of it is shown.
            ("select=id,projects()&projects=not.is.null&order=id", r#"[{"id":1},{"id":2}]"#),
            ("select=id,projects()&projects=is.null", r#"[{"id":3}]"#),
            ("select=id,projects!inner()&projects.name=eq.Port", r#"[{"id":2}]"#),
            ("select=id,projects!inner(tasks!inner())&projects.tasks.name=eq.plan", r#"[{"id":1}]"#),
            ("select=id,projects!inner(budgets())&projects.budgets=is.null", r#"[{"id":1}]"#),
            ("select=id,projects()&or=(projects.is.null,id.eq.1)&order=id", r#"[{"id":1},{"id":3}]"#),
            ("select=id,projects()&not.or=(projects.is.null,id.eq.1)", r#"[{"id":2}]"#),
            ("select=id,projects!inner()&projects.limit=0", "[]"),
        ],
    );
    company.check(
        "projects",
        &[
            ("select=id,clients!inner(name)&clients.name=eq.Bolt", r#"[{"id":3,"clients":{"name":"Bolt"}}]"#),
            ("select=id,clients(name)&clients.name=eq.Bolt&order=id&limit=1", r#"[{"id":1,"clients":null}]"#),
            ("select=id&order=id&id=lt.3", r#"[{"id":1},{"id":2}]"#),
            ("select=id,clients(name)&order=clients(name).desc.nullslast,id.desc", r#"[{"id":3,"clients":{"name":"Bolt"}},{"id":2,"clients":{"name":"Ace"}},{"id":1,"clients":{"name":"Ace"}},{"id":4,"clients":null}]"#),
            ("select=id,clients()&order=clients(name).desc.nullslast,id", r#"[{"id":3},{"id":1},{"id":2},{"id":4}]"#),
            ("select=id,c:clients(id)&order=c(doc->city->>name).nullsfirst,id.desc&limit=1", r#"[{"id":4,"c":null}]"#),
            ("select=id,...clients(client:name)&order=clients(client).nullsfirst,id", r#"[{"id":4,"client":null},{"id":1,"client":"Ace"},{"id":2,"client":"Ace"},{"id":3,"client":"Bolt"}]"#),
        ],
    );
    company.check(
        "people",
        &[(
            "select=id,tasks(name,projects(name))&tasks.order=projects(name),name.desc&id=eq.2",
            r#"[{"id":2,"tasks":[{"name":"wall","projects":{"name":"Mill"}},{"name":"dig","projects":{"name":"Mill"}}]}]"#,
        )],
    );
}

#[test]
fn values_are_spread() {
    let company = Company::create();
    company.check(
        "projects",
        &[
            ("select=id,...clients(client:name)&order=id&limit=1&offset=3", r#"[{"id":4,"client":null}]"#),
            ("select=...clients(name),...budgets(*)&id=eq.1", r#"[{"name":"Ace","project_id":1,"amount":10.50}]"#),
            (
                "select=id,...tasks(task:name,done)&id=eq.1",
                r#"[{"id":1,"task":["dig","wall"],"done":["2024-02-29T12:00:00Z",null]}]"#,
            ),
            ("select=id,...tasks(name)&id=eq.1&tasks.order=hours.desc", r#"[{"id":1,"name":["wall","dig"]}]"#),
            ("select=id,...tasks(name)&id=eq.4", r#"[{"id":4,"name":[]}]"#),
            (
                "select=...tasks(*)&id=eq.3",
                r#"[{"project_id":[3],"number":[1],"name":["dredge"],"hours":[null],"done":[null]}]"#,
            ),
            ("select=id,...tasks(...people(name))&id=eq.1", r#"[{"id":1,"name":[["Ben", "Cy"], ["Ben"]]}]"#),
            ("select=id,...tasks(people(name))&id=eq.2", r#"[{"id":2,"people":[[{"name":"Di"}]]}]"#),
        ],
    );
    company.check(
        "budgets",
        &[
            (
                "select=amount,...projects(name,...clients(client:name))&order=project_id",
                r#"[{"amount":10.50,"name":"Mill","client":"Ace"},{"amount":2,"name":"Port","client":"Bolt"}]"#,
            ),
            ("select=project:projects(...clients(client:name))&project_id=eq.1", r#"[{"project":{"client":"Ace"}}]"#),
            ("select=...projects(clients(name))&project_id=eq.1", r#"[{"clients":{"name":"Ace"}}]"#),
        ],
    );
}

#[test]
fn values_are_cast() {
    let company = Company::create();
    company.check(
        "tasks",
        &[
            (
                "select=number::text,h:hours::double precision,done::date&project_id=eq.1&number=eq.1",
                r#"[{"number":"1","h":3,"done":"2024-02-29"}]"#,
            ),
            (
                "select=done::timestamp,t:done::text&project_id=eq.1&number=eq.1",
                r#"[{"done":"2024-02-29T12:00:00","t":"2024-02-29 12:00:00+00"}]"#,
            ),
        ],
    );
    company.check(
        "clients",
        &[
            (
                "select=doc->city->>name,doc->tags->0,d:doc->city,doc->>tags&id=eq.1",
                r#"[{"name":"Bern","tags":"a","d":{"name": "Bern"},"tags":"[\"a\"]"}]"#,
            ),
            ("select=t:doc->tags::text&id=eq.1", r#"[{"t":"[\"a\"]"}]"#),
        ],
    );
    let refused = |query: &str| {
        let error = company.answer("clients", query, &list()).unwrap_err();
        (error.code.as_str().to_owned(), error.message)
    };
    assert_eq!(
        refused("select=name::int&id=eq.1"),
        ("22P02".to_owned(), "invalid input syntax for type integer: \"Ace\"".to_owned())
    );
    assert_eq!(refused("select=id::uuid"), ("42846".to_owned(), "cannot cast type bigint to uuid".to_owned()));
    assert_eq!(refused("select=name.sum()"), ("42883".to_owned(), "function sum(text) does not exist".to_owned()));
}

#[test]
fn rows_are_aggregated() {
    let company = Company::create();
    company.check(
        "tasks",
        &[
            ("select=count()", r#"[{"count":4}]"#),
            ("select=count", r#"[{"count":4}]"#),
            ("select=n:count()::text", r#"[{"n":"4"}]"#),
            ("select=count()&project_id=eq.9", r#"[{"count":0}]"#),
            ("select=project_id,count()&project_id=eq.9", "[]"),
            (
                "select=hours.sum(),hours.avg(),hours.min(),m:hours.max(),hours.count()",
                r#"[{"sum":10,"avg":3.3333333333333333,"min":2,"m":5,"count":3}]"#,
            ),
            ("select=done.max(),d:done.min()::date", r#"[{"max":"2024-03-01T00:00:00.5Z","d":"2024-02-29"}]"#),
            ("select=project_id,count(),hours.sum()", r#"[{"project_id":1,"count":2,"sum":8},{"project_id":2,"count":1,"sum":2},{"project_id":3,"count":1,"sum":null}]"#),
            ("select=p:project_id,count()&order=project_id.desc&limit=2", r#"[{"p":3,"count":1},{"p":2,"count":1}]"#),
            ("select=hours::text.max()", r#"[{"max":"5"}]"#),
        ],
    );
    company.check(
        "clients",
        &[
            ("select=id,projects(count)&order=id", r#"[{"id":1,"projects":[{"count":2}]},{"id":2,"projects":[{"count":1}]},{"id":3,"projects":[{"count":0}]}]"#),
            ("select=id,projects(lead_id,count())&id=eq.1", r#"[{"id":1,"projects":[{"lead_id":1,"count":1},{"lead_id":2,"count":1}]}]"#),
            ("select=doc->city->>name,count()&order=doc->city->>name.desc", r#"[{"name":null,"count":2},{"name":"Bern","count":1}]"#),
            ("select=id,projects!inner(count())&order=id&limit=1&offset=2", r#"[{"id":3,"projects":[{"count":0}]}]"#),
            ("select=id,projects!inner(lead_id,count())&id=eq.3", "[]"),
        ],
    );
    company.check(
        "projects",
        &[
            (
                "select=n:count(),...clients(name),...budgets(amount.sum())&order=clients(name)",
                r#"[{"n":2,"name":"Ace","sum":10.50},{"n":1,"name":"Bolt","sum":2},{"n":1,"name":null,"sum":null}]"#,
            ),
            ("select=...budgets(count())", r#"[{"count":2}]"#),
        ],
    );
    company.check(
        "assignments",
        &[(
            "select=role,...tasks(...projects(...clients(client:name,count())))&order=role",
            r#"[{"role":"help","client":"Ace","count":1},{"role":"lead","client":"Ace","count":2},{"role":null,"client":"Ace","count":1}]"#,
        )],
    );
    // Objects and arrays make groups as well.
    let grouped =
        company.answer("projects", "select=count(),clients(name),tasks(hours)&client_id=eq.1&order=client_id", &list());
    assert_eq!(grouped.unwrap_err().code.as_str(), "42803");
    let (body, total) =
        company.answer("projects", "select=count(),clients(name)", &Rendering { exact_count: true, ..list() }).unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((body.as_array().unwrap().len(), total), (3, Some(3)));
    assert!(body.as_array().unwrap().contains(&serde_json::json!({"count": 2, "clients": {"name": "Ace"}})));
    let (body, _) = company.answer("projects", "select=count(),tasks(hours)&id=eq.1", &list()).unwrap();
    assert_eq!(body, r#"[{"count":1,"tasks":[{"hours":3},{"hours":5}]}]"#);
}

#[test]
fn the_total_is_that_of_the_rows_that_match() {
    let company = Company::create();
    let total = |table: &str, query: &str| {
        let rendering = Rendering { exact_count: true, max_rows: Some(1), ..list() };
        company.answer(table, query, &rendering).unwrap().1
    };
    assert_eq!(total("projects", "select=id,clients!inner(name)"), Some(3));
    assert_eq!(total("projects", "select=id,clients!inner(name)&clients.name=eq.Ace"), Some(2));
    assert_eq!(total("projects", "select=id,clients(name)&clients=is.null"), Some(1));
    assert_eq!(total("clients", "select=id,projects!inner(tasks!inner(people!inner()))"), Some(1));
    assert_eq!(total("tasks", "select=project_id,count()"), Some(3));
    assert_eq!(total("tasks", "select=count()"), Some(1));
    assert_eq!(total("projects", "select=count(),...clients(name)"), Some(3));
}

#[test]
fn embeddings_have_no_more_rows_than_a_page() {
    let company = Company::create();
    let body = |table: &str, query: &str, max_rows| {
        let rendering = Rendering { max_rows: Some(max_rows), ..list() };
        company.answer(table, query, &rendering).unwrap().0
    };
    assert_eq!(body("clients", "select=projects(id)&id=eq.1", 1), r#"[{"projects":[{"id":1}]}]"#);
    assert_eq!(
        body("clients", "select=projects(id)&id=eq.1&projects.limit=5&projects.order=id.desc", 1),
        r#"[{"projects":[{"id":2}]}]"#
    );
    assert_eq!(body("clients", "select=...projects(id)&id=eq.1", 1), r#"[{"id":[1]}]"#);
}

#[test]
fn a_row_is_no_larger_for_what_is_embedded() {
    let company = Company::create();
    let bytes = |table: &str, query: &str, max| {
        use sqlx::Row;
        let rendering = Rendering { max_row_bytes: Some(max), ..list() };
        let query = parsed(&company.tables, table, query).unwrap();
        let rows = company.database.fetch(&query.to_sql(&rendering)).unwrap();
        let rows = rows.iter().map(|row| (row.get::<Option<String>, _>("shown"), row.get::<i32, _>("bytes")));
        rows.collect::<Vec<_>>()
    };
    let whole = r#"{"tasks":[{"name":"dig"}, {"name":"wall"}]}"#;
    let length = u64::try_from(whole.len()).unwrap();
    assert_eq!(bytes("projects", "select=tasks(name)&id=eq.1", length), [(Some(whole.to_owned()), whole.len() as i32)]);
    for (table, query) in [
        ("projects", "select=tasks(name)&id=eq.1"),
        ("projects", "select=...tasks(name,hours)&id=eq.1"),
        ("projects", "select=...tasks(people(name))&id=eq.1"),
        ("clients", "select=projects(tasks(name))&id=eq.1"),
    ] {
        for max in [1, 5, 12] {
            let rows = bytes(table, query, max);
            assert!(
                rows.iter().all(|(shown, bytes)| shown.is_none() && i64::from(*bytes) > max as i64),
                "{query}: {rows:?}"
            );
        }
    }
}
