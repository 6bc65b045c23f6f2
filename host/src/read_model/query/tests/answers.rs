//! Results and errors of a real Postgres.

use insta::assert_snapshot;
use sqlx::Row;

use super::{
    database::{Answer, Database, SCHEMA, list, qualified, statement},
    table,
};
use crate::read_model::query::{Param, Query, QueryError, Rendering, Shape, Sql, Total, csv_header};

/// A database with a table of three rows.
fn database() -> Database {
    let database = Database::create();
    database.create_table(&table());
    database.execute(format!(
        r#"INSERT INTO {} VALUES
        (2, 'Émile, "b"', true, -5, 1.5, 10.50, '2024-02-29 12:00:00.25+00', '2024-02-29',
         '00000000-0000-0000-0000-000000000001', '{{"a": [1]}}', '\x00ff', 'Zürich', '2024-02-29 12:00:00.25', '10:17:00',
         '{{"a,b","NULL","x\"y",""}}', '{{1,-9223372036854775808}}', '{{0.5,NaN,-Infinity}}',
         '{{00000000-0000-0000-0000-000000000003}}'),
        (1, 'anna', false, 7, 'NaN', -0.001, '2024-03-01 00:00:00+00', '2024-03-01',
         '00000000-0000-0000-0000-000000000002', '"x"', '', 'ZÜRICH', '0001-01-01 00:00:00', '23:59:59.999999',
         '{{}}', '{{}}', '{{}}', '{{}}'),
        (3{})"#,
        qualified(&table()),
        ", NULL".repeat(table().columns().len() - 1)
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
    [{"id":3,"user":null,"page":null,"delay":null,"ratio":null,"fare":null,"landed":null,"day":null,"ticket":null,"doc":null,"raw":null,"city":null,"boarding":null,"gate_closes":null,"tags":null,"seats":null,"weights":null,"crew":null},
    {"id":2,"user":"Émile, \"b\"","page":true,"delay":-5,"ratio":1.5,"fare":10.50,"landed":"2024-02-29T12:00:00.25Z","day":"2024-02-29","ticket":"00000000-0000-0000-0000-000000000001","doc":{"a": [1]},"raw":"\\x00ff","city":"Zürich","boarding":"2024-02-29T12:00:00.25","gate_closes":"10:17:00","tags":["a,b","NULL","x\"y",""],"seats":[1,-9223372036854775808],"weights":[0.5,"NaN","-Infinity"],"crew":["00000000-0000-0000-0000-000000000003"]},
    {"id":1,"user":"anna","page":false,"delay":7,"ratio":"NaN","fare":-0.001,"landed":"2024-03-01T00:00:00Z","day":"2024-03-01","ticket":"00000000-0000-0000-0000-000000000002","doc":"x","raw":"\\x","city":"ZÜRICH","boarding":"0001-01-01T00:00:00","gate_closes":"23:59:59.999999","tags":[],"seats":[],"weights":[],"crew":[]}]
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
fn rows_come_without_members_that_are_null() {
    let (database, table) = (database(), table());
    let body = |query: &str, shape| database.answer(&table, query, &Rendering { shape, ..list() }).unwrap().body;
    assert_eq!(
        body("select=id,user,doc&order=id.desc&limit=2", Shape::StrippedList),
        r#"[{"id":3},{"id":2,"user":"Émile, \"b\"","doc":{"a":[1]}}]"#
    );
    assert_eq!(body("select=id,fare&id=eq.2", Shape::StrippedList), r#"[{"id":2,"fare":10.50}]"#);
    assert_eq!(body("id=eq.4", Shape::StrippedList), "[]");
    assert_eq!(body("select=id,user&id=gte.3", Shape::StrippedObject), r#"{"id":3}"#);
    assert_eq!(body("id=eq.4", Shape::StrippedObject), "null");
}

#[test]
fn rows_come_as_lines() {
    let (database, table) = (database(), table());
    let csv = Rendering { shape: Shape::Csv, ..list() };
    let lines = |query: &str| database.answer(&table, query, &csv).unwrap().body;
    let all =
        "id,user,page,delay,ratio,fare,landed,day,ticket,doc,raw,city,boarding,gate_closes,tags,seats,weights,crew";
    assert_eq!(csv_header(Query::parse("", &table).unwrap().to_sql(&csv).names.iter().map(String::as_str)), all);
    assert_eq!(
        lines(&format!("select={all}&order=id.desc")),
        concat!(
            "\n3,,,,,,,,,,,,,,,,,",
            "\n2,\"Émile, \"\"b\"\"\",t,-5,1.5,10.50,2024-02-29T12:00:00.25Z,2024-02-29,00000000-0000-0000-0000-000000000001,",
            "\"{\"\"a\"\": [1]}\",\"\\x00ff\",Zürich,\"2024-02-29 12:00:00.25\",10:17:00,\"{\"\"a,b\"\",\"\"NULL\"\",\"\"x\\\"\"y\"\",\"\"\"\"}\",",
            "\"{1,-9223372036854775808}\",\"{0.5,NaN,-Infinity}\",{00000000-0000-0000-0000-000000000003}",
            "\n1,anna,f,7,NaN,-0.001,2024-03-01T00:00:00Z,2024-03-01,00000000-0000-0000-0000-000000000002,",
            "\"\"\"x\"\"\",\"\\x\",ZÜRICH,\"0001-01-01 00:00:00\",23:59:59.999999,{},{},{},{}",
        )
    );
    // An alias with the name of the row.
    assert_eq!(lines("select=page:user,user:id,page&id=eq.1"), "\nanna,1,f");
    assert_eq!(lines("select=id&id=eq.4"), "\n");
    assert_eq!(
        csv_header(Query::parse("select=x:id,user", &table).unwrap().to_sql(&csv).names.iter().map(String::as_str)),
        "x,user"
    );
}

#[test]
fn rows_are_counted_and_not_shown() {
    let (database, table) = (database(), table());
    let count = |query: &str, total, max_rows| {
        let rendering = Rendering { total, max_rows, ..list() };
        let sql = Query::parse(query, &table).unwrap().to_counting_sql(&rendering);
        let rows = database.fetch(&sql).unwrap();
        assert_eq!(rows.len(), 1);
        (rows[0].get::<i64, _>("page_rows"), rows[0].get::<Option<i64>, _>("total_rows"))
    };
    assert_eq!(count("", Total::Uncounted, None), (3, None));
    assert_eq!(count("limit=1&offset=1", Total::Exact, None), (1, Some(3)));
    assert_eq!(count("id=gt.1", Total::Exact, Some(1)), (1, Some(2)));
    assert_eq!(count("id=gt.1&offset=5", Total::Exact, None), (0, Some(2)));
    for (most, counted) in [(1, 1), (2, 2), (3, 2)] {
        assert_eq!(count("id=gt.1", Total::UpTo(most), None), (2, Some(counted)));
    }
    let rendering = Rendering { total: Total::UpTo(2), ..list() };
    assert_eq!(database.answer(&table, "select=id&limit=1&order=id", &rendering).unwrap().total_rows, Some(2));
    let matching = Query::parse("id=gt.1&limit=1&order=user", &table).unwrap().to_matching_sql(&list());
    assert_eq!(database.fetch(&matching).unwrap().len(), 2);
}

#[test]
fn a_page_knows_the_total() {
    let (database, table) = (database(), table());
    let page = |query: &str, max_rows| {
        let rendering = Rendering { total: Total::Exact, max_rows, ..list() };
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
        ("boarding=gt.x", "22007", "invalid input syntax for type timestamp: \"x\""),
        ("boarding=gt.2024-02-30", "22008", "date/time field value out of range: \"2024-02-30\""),
        ("gate_closes=gt.x", "22007", "invalid input syntax for type time: \"x\""),
        ("gate_closes=gt.24:00:01", "22008", "date/time field value out of range: \"24:00:01\""),
        ("tags=eq.a", "22P02", "malformed array literal: \"a\""),
        ("tags=in.(a)", "22P02", "malformed array literal: \"a\""),
        ("seats=eq.{a}", "22P02", "invalid input syntax for type bigint: \"a\""),
        ("seats=eq.{9223372036854775808}", "22003", "value \"9223372036854775808\" is out of range for type bigint"),
        ("weights=eq.{a}", "22P02", "invalid input syntax for type double precision: \"a\""),
        ("crew=eq.{a}", "22P02", "invalid input syntax for type uuid: \"a\""),
        ("city=eq.%00", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"),
        ("page=is.null&delay=is.true", "42804", "argument of IS TRUE must be type boolean, not type bigint"),
    ] {
        let answer = database.answer(&table, query, &list()).map_err(|error| QueryError { details: None, ..error });
        assert_eq!(answer, Err(refused(code, message, None)), "{query}");
    }
    let error = database.answer(&table, "doc=eq.{", &list()).unwrap_err();
    assert_eq!(error.code.as_str(), "22P02");
    assert_eq!(error.message, "invalid input syntax for type json");
    assert_eq!(error.details.as_deref(), Some("The input string ended unexpectedly."));

    let hint = "No operator matches the given name and argument types. You might need to add explicit type casts.";
    for (query, message) in [
        ("delay=like.1*", "operator does not exist: bigint ~~ text"),
        ("doc=ilike.1*", "operator does not exist: jsonb ~~* text"),
        ("tags=like.a*", "operator does not exist: text[] ~~ text"),
        ("boarding=like.2*", "operator does not exist: timestamp without time zone ~~ text"),
        ("gate_closes=ilike.1*", "operator does not exist: time without time zone ~~* text"),
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

/// The ids of the rows that a query finds.
fn found(database: &Database, query: &str) -> Vec<i64> {
    let query = format!("select=id&order=id&{query}");
    let answer = database.answer(&table(), &query, &list()).unwrap_or_else(|error| panic!("{query}: {error}"));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// From the sixth time on, Postgres may run a statement by a plan that was made without its values.
#[test]
fn a_query_is_answered_the_tenth_time_as_the_first() {
    let database = database();
    for (query, ids, other, wrong) in [
        ("id=eq.1", &[1][..], "id=eq.2", "id=eq.x"),
        ("id=in.(1,3)", &[1, 3], "id=in.()", "id=in.(1,x)"),
        ("user=eq.anna", &[1], "user=eq.nobody", "user=eq.%00"),
        ("user=in.(anna,x)", &[1], "user=in.(null)", "user=in.(%00)"),
        ("delay=gt.0", &[1], "delay=gte.-9223372036854775808", "delay=gt.9223372036854775808"),
        ("ratio=gt.1.25", &[1, 2], "ratio=gt.NaN", "ratio=gt.x"),
        ("landed=gte.2024-03-01T00:00:00Z", &[1], "landed=gte.9999-12-31T23:59:59.999999Z", "landed=gte.x"),
        ("day=lte.2024-02-29", &[2], "day=lt.0001-01-02", "day=eq.2024-02-30"),
        ("ticket=eq.00000000-0000-0000-0000-000000000001", &[2], "ticket=is.null", "ticket=eq.x"),
        ("page=eq.true", &[2], "page=eq.false", "page=eq.maybe"),
        ("city=eq.zürich", &[1, 2], "city=eq.x", "city=eq.%00"),
    ] {
        let refused = || database.answer(&table(), &format!("select=id&order=id&{wrong}"), &list()).unwrap_err();
        let first = (found(&database, other), refused());
        for _ in 0..10 {
            assert_eq!(found(&database, query), ids, "{query}");
        }
        assert_eq!((found(&database, other), refused()), first, "{query}");
    }
}

#[test]
fn case_insensitive_text_is_found_in_any_case() {
    let database = database();
    for (query, ids) in [
        ("city=eq.zürich", &[1, 2][..]),
        ("city=neq.zürich", &[]),
        ("city=eq.zurich", &[]),
        ("city=in.(zÜRICH,bern)", &[1, 2]),
        ("city=not.in.(bern)", &[1, 2]),
        ("city=gt.zürich", &[]),
        ("city=gte.ZüRICH", &[1, 2]),
        ("city=lt.zy", &[1, 2]),
        ("city=like.zÜ*", &[1, 2]),
        ("city=ilike.*RICH", &[1, 2]),
        ("city=like.z_rich", &[1, 2]),
        ("city=not.like.*x*", &[1, 2]),
        ("or=(city.eq.zürich,city.is.null)", &[1, 2, 3]),
    ] {
        assert_eq!(found(&database, query), ids, "{query}");
    }
}

#[test]
fn times_without_a_time_zone_are_found() {
    let database = database();
    for (query, ids) in [
        ("boarding=eq.2024-02-29T12:00:00.25", &[2][..]),
        ("boarding=eq.2024-02-29T12:00:00.2500009", &[2]),
        ("boarding=in.(0001-01-01T00:00:00,\"2024-02-29 12:00:00.25\")", &[1, 2]),
        ("boarding=lt.infinity", &[1, 2]),
        ("boarding=gt.-infinity", &[1, 2]),
        ("boarding=gte.2024-02-29", &[2]),
        ("gate_closes=eq.10:17", &[2]),
        ("gate_closes=eq.23:59:59.9999999", &[1]),
        ("gate_closes=lt.24:00:00", &[1, 2]),
        ("gate_closes=eq.24:00:00", &[]),
        ("gate_closes=gte.10:17&gate_closes=lt.10:18", &[2]),
    ] {
        assert_eq!(found(&database, query), ids, "{query}");
    }
    let error = database.answer(&table(), "boarding=eq.2024-02-29T12:00:00.25Z", &list()).unwrap_err();
    assert_eq!(error.code.as_str(), "22007");
    assert_eq!(error.message, "invalid input syntax for type timestamp: \"2024-02-29T12:00:00.25Z\"");
    assert_eq!(error.hint.as_deref(), Some("Write the value without Z, an offset or the name of a zone."));
    for query in ["gate_closes=in.(10:17,10:18Z)", "or=(gate_closes.gt.10:17-05)"] {
        assert_eq!(database.answer(&table(), query, &list()).unwrap_err().code.as_str(), "22007", "{query}");
    }
    for query in ["boarding=lt.2016-12-31T23:59:60", "gate_closes=eq.23:59:60"] {
        assert_eq!(database.answer(&table(), query, &list()).unwrap_err().code.as_str(), "22008", "{query}");
    }
}

/// A value with a zone is the same instant in every session; one without is not.
#[test]
fn a_time_zone_is_one_for_postgres_as_well() {
    let (database, table) = (database(), table());
    let mut zoned = 0;
    for time in ["10:17", "10:17:00", "10:17:00.25", "10:17:00 PM", "10:17PM"] {
        for zone in ["", "Z", " z", "+02", "-05:30", " +0200", " UTC", " Asia/Tokyo", " PST", " BC"] {
            for value in [format!("2013-01-01 {time}{zone}"), format!("2013-01-01T{time}{zone}")] {
                let instant = |zone: &str| {
                    database.execute(format!("SET TimeZone = '{zone}'"));
                    let text = "SELECT extract(epoch FROM $1::text::timestamptz)::text".to_owned();
                    let params = vec![Param::Text(value.clone())];
                    let rows = database.fetch(&statement(text, params));
                    rows.map(|rows| rows[0].get::<String, _>(0))
                };
                let (Ok(here), Ok(there)) = (instant("Asia/Tokyo"), instant("America/New_York")) else { continue };
                zoned += usize::from(here == there);
                let query = format!("boarding=eq.{}", value.replace('+', "%2B"));
                let refused = database.answer(&table, &query, &list()).is_err();
                assert_eq!(refused, here == there, "{value}");
            }
        }
    }
    assert!(zoned > 50, "only {zoned} values have a zone");
}

#[test]
fn arrays_are_found_by_their_literals() {
    let database = database();
    for (query, ids) in [
        (r#"tags=eq.{"a,b","NULL","x\"y",""}"#, &[2][..]),
        ("tags=eq.{}", &[1]),
        ("tags=neq.{}", &[2]),
        ("tags=gt.{a}", &[2]),
        (r#"tags=in.("{}","{x}")"#, &[1]),
        (r#"tags=in.("{x}","{\"a,b\",\"NULL\",\"x\\\"y\",\"\"}")"#, &[2]),
        ("tags=in.()", &[]),
        ("tags=not.in.()", &[1, 2, 3]),
        ("tags=not.in.({x})", &[1, 2]),
        ("tags=is.null", &[3]),
        ("tags=not.is.null", &[1, 2]),
        ("or=(seats.eq.{1,-9223372036854775808},tags.eq.{})", &[1, 2]),
        ("seats=eq.{1,-9223372036854775808}", &[2]),
        ("weights=eq.{0.5,NaN,-Infinity}", &[2]),
        ("weights=lt.{0.5}", &[1]),
        ("crew=eq.{00000000-0000-0000-0000-000000000003}", &[2]),
        ("crew=in.({},{00000000-0000-0000-0000-000000000003})", &[1, 2]),
    ] {
        assert_eq!(found(&database, query), ids, "{query}");
    }
}

#[test]
fn the_statement_becomes_a_part_of_another() {
    let (database, table) = (database(), table());
    let rendering = Rendering { first_placeholder: 2, total: Total::Exact, ..list() };
    let query = Query::parse("select=id&id=gt.1&limit=1", &table).unwrap();
    let Sql { text, params, .. } = query.to_sql(&rendering);
    let sql = statement(
        format!("SELECT $1::text AS checkpoint, answer.* FROM ({text}) AS answer"),
        [Param::Text("42".to_owned())].into_iter().chain(params).collect(),
    );
    let rows = database.fetch(&sql).unwrap();
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!(row.get::<&str, _>("checkpoint"), "42");
    assert_eq!(row.get::<&str, _>("shown"), r#"{"id":2}"#);
    assert_eq!((row.get("bytes"), row.get("total_rows")), (8_i32, 2_i64));
}

#[test]
fn a_row_that_is_too_large_has_only_its_size() {
    let (database, table) = (database(), table());
    let rendering = Rendering { max_row_bytes: Some(20), ..list() };
    let sql = Query::parse("select=id,user&order=id.desc", &table).unwrap().to_sql(&rendering);
    let rows = database.fetch(&sql).unwrap();
    let rows: Vec<(Option<&str>, i32)> = rows.iter().map(|row| (row.get("shown"), row.get("bytes"))).collect();
    assert_eq!(rows, [(Some(r#"{"id":3,"user":null}"#), 20), (None, 31), (None, 22)]);
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
    for column in ["user", "landed", "fare", "ticket", "city", "boarding", "gate_closes"] {
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
        ("city=eq.zürich", "by_city"),
        ("city=in.(x,y)", "by_city"),
        ("boarding=gte.2024-01-01", "by_boarding"),
        ("gate_closes=eq.10:17", "by_gate_closes"),
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
