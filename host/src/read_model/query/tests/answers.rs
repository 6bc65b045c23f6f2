//! Results and errors of a real Postgres.

use insta::assert_snapshot;
use sqlx::Row;

use super::{
    database::{Answer, Database, SCHEMA, list, qualified},
    table,
};
use crate::read_model::query::{Query, QueryError, Rendering, Shape, Sql};

/// A database with a table of three rows.
fn database() -> Database {
    let database = Database::create();
    database.create_table(&table());
    database.execute(format!(
        r#"INSERT INTO {} VALUES
        (2, 'Émile, "b"', true, -5, 1.5, 10.50, '2024-02-29 12:00:00.25+00', '2024-02-29',
         '00000000-0000-0000-0000-000000000001', '{{"a": [1]}}', '\x00ff'),
        (1, 'anna', false, 7, 'NaN', -0.001, '2024-03-01 00:00:00+00', '2024-03-01',
         '00000000-0000-0000-0000-000000000002', '"x"', ''),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"#,
        qualified(&table())
    ));
    database
}

fn refused(sqlstate: &str, message: &str, hint: Option<&str>) -> QueryError {
    QueryError::from_postgres(sqlstate, message, None, hint)
}

#[test]
fn rows_come_as_json() {
    let (database, table) = (database(), table());
    let answer = database.answer(&table, "order=id.desc", &list()).unwrap();
    assert_eq!((answer.page_rows, answer.total_rows), (3, None));
    assert_snapshot!(answer.body.replace(", \n ", ",\n"), @r#"
    [{"id":3,"user":null,"page":null,"delay":null,"ratio":null,"fare":null,"landed":null,"day":null,"ticket":null,"doc":null,"raw":null},
    {"id":2,"user":"Émile, \"b\"","page":true,"delay":-5,"ratio":1.5,"fare":10.50,"landed":"2024-02-29T12:00:00.25Z","day":"2024-02-29","ticket":"00000000-0000-0000-0000-000000000001","doc":{"a": [1]},"raw":"\\x00ff"},
    {"id":1,"user":"anna","page":false,"delay":7,"ratio":"NaN","fare":-0.001,"landed":"2024-03-01T00:00:00Z","day":"2024-03-01","ticket":"00000000-0000-0000-0000-000000000002","doc":"x","raw":"\\x"}]
    "#);

    let body = |query: &str| database.answer(&table, query, &list()).unwrap().body;
    assert_eq!(body("select=page:user,user:id,page&id=eq.1"), r#"[{"page":"anna","user":1,"page":false}]"#);
    assert_eq!(body("select=%22a%5C%22%5C%5C%3B%22:id&id=eq.1"), r#"[{"a\"\\;":1}]"#);
    assert_eq!(body("select=id&id=eq.4"), "[]");
    assert_eq!(body(r#"select=id&user=eq.Émile, "b""#), r#"[{"id":2}]"#);
    assert_eq!(body(r#"select=id&user=in.("Émile, \"b\"",x)"#), r#"[{"id":2}]"#);
}

#[test]
fn one_row_comes_as_an_object() {
    let (database, table) = (database(), table());
    let object = Rendering { shape: Shape::Object, ..list() };
    let answer = |body: &str, page_rows| Ok(Answer { body: body.to_owned(), page_rows, total_rows: None });
    assert_eq!(database.answer(&table, "select=id&id=eq.1", &object), answer(r#"{"id":1}"#, 1));
    assert_eq!(database.answer(&table, "select=id&id=eq.4", &object), answer("null", 0));
    assert_eq!(database.answer(&table, "select=id&order=id&id=gte.2", &object), answer(r#"{"id":2}"#, 2));
}

#[test]
fn a_page_knows_the_total() {
    let (database, table) = (database(), table());
    let page = |query: &str, max_rows| {
        let rendering = Rendering { exact_count: true, max_rows, ..list() };
        let answer = database.answer(&table, query, &rendering).unwrap();
        (answer.body, answer.page_rows, answer.total_rows)
    };
    let rows = |body: &str, page_rows, total_rows| (body.to_owned(), page_rows, Some(total_rows));
    assert_eq!(page("select=id&limit=1&offset=1", None), rows(r#"[{"id":2}]"#, 1, 3));
    assert_eq!(page("select=id&id=gt.1&limit=1", None), rows(r#"[{"id":2}]"#, 1, 2));
    assert_eq!(page("select=id&id=gt.1&limit=9", Some(1)), rows(r#"[{"id":2}]"#, 1, 2));
    assert_eq!(page("select=id&id=eq.1", None), rows(r#"[{"id":1}]"#, 1, 1));
    assert_eq!(page("select=id&limit=0", None), rows("[]", 0, 3));
    assert_eq!(page("select=id&offset=9223372036854775807&limit=9223372036854775807", None), rows("[]", 0, 3));
}

#[test]
fn wrong_values_are_the_errors_of_postgres() {
    let database = Database::create();
    let table = table();
    // Reported even though the table is empty.
    database.create_table(&table);
    for (query, code, message) in [
        ("id=eq.abc", "22P02", "invalid input syntax for type bigint: \"abc\""),
        ("id=eq.", "22P02", "invalid input syntax for type bigint: \"\""),
        ("id=in.(1,abc)", "22P02", "invalid input syntax for type bigint: \"abc\""),
        ("id=in.( ,3,4)", "22P02", "invalid input syntax for type bigint: \"\""),
        ("or=(id.eq.1,delay.gt.abc)", "22P02", "invalid input syntax for type bigint: \"abc\""),
        ("id=eq.99999999999999999999", "22003", "value \"99999999999999999999\" is out of range for type bigint"),
        ("page=eq.maybe", "22P02", "invalid input syntax for type boolean: \"maybe\""),
        ("ratio=lt.x", "22P02", "invalid input syntax for type double precision: \"x\""),
        ("fare=lt.x", "22P02", "invalid input syntax for type numeric: \"x\""),
        ("landed=gt.x", "22007", "invalid input syntax for type timestamp with time zone: \"x\""),
        ("day=gt.2024-02-30", "22008", "date/time field value out of range: \"2024-02-30\""),
        ("ticket=eq.x", "22P02", "invalid input syntax for type uuid: \"x\""),
        ("raw=eq.%5Cxg", "22023", "invalid hexadecimal digit: \"g\""),
        ("user=eq.%00", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"),
        ("page=is.null&delay=is.true", "42804", "argument of IS TRUE must be type boolean, not type bigint"),
    ] {
        assert_eq!(database.answer(&table, query, &list()), Err(refused(code, message, None)), "{query}");
    }
    let error = database.answer(&table, "doc=eq.{", &list()).unwrap_err();
    assert_eq!(error.code.as_str(), "22P02");
    assert_eq!(error.message, "invalid input syntax for type json");
    assert_eq!(error.details.as_deref(), Some("The input string ended unexpectedly."));

    let hint = "No operator matches the given name and argument types. You might need to add explicit type casts.";
    for (query, message) in [
        ("delay=like.1*", "operator does not exist: bigint ~~ text"),
        ("doc=ilike.1*", "operator does not exist: jsonb ~~* text"),
    ] {
        assert_eq!(database.answer(&table, query, &list()), Err(refused("42883", message, Some(hint))), "{query}");
    }

    // A pattern is parsed only when a value is matched.
    database.execute(format!("INSERT INTO {} VALUES (1, 'x')", qualified(&table)));
    assert_eq!(
        database.answer(&table, "user=like.%5C", &list()),
        Err(refused("22025", "LIKE pattern must not end with escape character", None))
    );
}

#[test]
fn patterns_ignore_the_case_of_all_letters() {
    let (database, table) = (database(), table());
    let ids = |query: &str| database.answer(&table, &format!("select=id&{query}"), &list()).unwrap().body;
    assert_eq!(ids("user=ilike.éMILE*"), r#"[{"id":2}]"#);
    assert_eq!(ids("user=like.éMILE*"), "[]");
    assert_eq!(ids("user=like.*n_a"), r#"[{"id":1}]"#);
    assert_eq!(ids("user=not.ilike.é*"), r#"[{"id":1}]"#);
    assert_eq!(ids("raw=like.*%5C377"), r#"[{"id":2}]"#);
}

#[test]
fn the_statement_becomes_a_part_of_another() {
    let (database, table) = (database(), table());
    let rendering = Rendering { first_placeholder: 2, exact_count: true, ..list() };
    let query = Query::parse("select=id&id=gt.1&limit=1", &table).unwrap();
    let Sql { text, params } = query.to_sql(&rendering);
    let sql = Sql {
        text: format!("SELECT $1::text AS checkpoint, answer.* FROM ({text}) AS answer"),
        params: ["42".to_owned()].into_iter().chain(params).collect(),
    };
    let rows = database.fetch(&sql).unwrap();
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!(row.get::<&str, _>("checkpoint"), "42");
    assert_eq!(row.get::<&str, _>("body"), r#"[{"id":2}]"#);
    assert_eq!((row.get("page_rows"), row.get("total_rows")), (1_i64, 2_i64));
}

#[test]
fn pages_do_not_change_with_updates() {
    let (database, table) = (database(), table());
    // Postgres moves an updated row after the others.
    database.execute(format!("UPDATE {} SET \"delay\" = 0 WHERE \"id\" = 1", qualified(&table)));
    let ids = |query: &str, max_rows| database.answer(&table, query, &Rendering { max_rows, ..list() }).unwrap().body;
    assert_eq!(ids("select=id&limit=2", None), "[{\"id\":1}, \n {\"id\":2}]");
    assert_eq!(ids("select=id", Some(2)), "[{\"id\":1}, \n {\"id\":2}]");
    assert_eq!(ids("select=id&offset=2", Some(2)), r#"[{"id":3}]"#);
}

#[test]
fn indexes_are_used() {
    let (database, table) = (database(), table());
    let name = qualified(&table);
    for column in ["user", "landed", "fare", "ticket"] {
        database.execute(format!("CREATE INDEX \"by_{column}\" ON {name} (\"{column}\")"));
    }
    database.execute("SET enable_seqscan = off");
    for (query, index) in [
        ("id=eq.1", "flights_pkey"),
        ("id=in.(1,2)", "flights_pkey"),
        ("user=eq.x", "by_user"),
        ("user=in.(x,y)", "by_user"),
        ("user=like.x*", "by_user"),
        ("landed=gte.2024-01-01&landed=lt.2024-02-01", "by_landed"),
        ("fare=gt.1.5", "by_fare"),
        ("ticket=eq.00000000-0000-0000-0000-000000000001", "by_ticket"),
    ] {
        let mut sql = Query::parse(&format!("select=id&{query}"), &table).unwrap().to_sql(&list());
        sql.text.insert_str(0, "EXPLAIN ");
        let plan: Vec<String> = database.fetch(&sql).unwrap().iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && plan.contains("Index Cond"), "{query}:\n{plan}");
    }
}

#[test]
fn indexes_are_used_for_orders_that_the_key_completes() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    let name = qualified(&table);
    database.execute(format!("CREATE INDEX by_delay ON {name} (\"delay\")"));
    database.execute(format!("INSERT INTO {name} (id, delay) SELECT n, n / 10 FROM generate_series(1, 20000) AS n"));
    database.execute(format!("ANALYZE {name}"));
    for (query, index, sorted) in [
        ("order=delay&limit=10", "Index Scan using by_delay", "Presorted Key: flights.delay"),
        ("order=delay.desc&limit=10", "Index Scan Backward using by_delay", "Presorted Key: flights.delay"),
        ("order=id.desc&limit=10", "Index Only Scan Backward using flights_pkey", ""),
        ("limit=10", "Index Only Scan using flights_pkey", ""),
    ] {
        let mut sql = Query::parse(&format!("select=id&{query}"), &table).unwrap().to_sql(&list());
        sql.text.insert_str(0, "EXPLAIN ");
        let plan: Vec<String> = database.fetch(&sql).unwrap().iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && plan.contains(sorted), "{query}:\n{plan}");
        assert_eq!(plan.contains("Sort"), !sorted.is_empty(), "{query}:\n{plan}");
    }
}

#[test]
fn the_schema_is_quoted() {
    let (database, table) = (database(), table());
    let elsewhere = Rendering { schema: "build \"2\"; --", ..list() };
    assert_ne!(SCHEMA, elsewhere.schema);
    assert_eq!(
        database.answer(&table, "", &elsewhere),
        Err(refused("42P01", "relation \"build \"2\"; --.flights\" does not exist", None))
    );
}
