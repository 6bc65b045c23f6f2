use insta::assert_snapshot;

use super::{super::tests::table, *};

fn list() -> Rendering<'static> {
    Rendering {
        schema: "s",
        rows: None,
        shape: Shape::List,
        total: Total::Uncounted,
        max_rows: None,
        max_row_bytes: None,
        next_values: false,
        first_placeholder: 1,
    }
}

/// The statement, its clauses on lines of their own, and its values.
fn rendered(query: &str, rendering: &Rendering<'_>) -> String {
    let table = table();
    let sql = Query::parse(query, &table).unwrap().to_sql(rendering);
    let mut text = sql.text;
    for clause in [" FROM (", " WHERE", " AND ", " OR ", " ORDER BY", " LIMIT"] {
        text = text.replace(clause, &format!("\n{}", &clause[1..]));
    }
    if sql.params.is_empty() { text } else { format!("{text}\n{:?}", sql.params) }
}

#[test]
fn all_rows_are_neither_ordered_nor_cut() {
    assert_snapshot!(rendered("select=id,n:user", &list()), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id", "flights"."user" AS "n" FROM "s"."flights") AS page OFFSET 0) AS json_rows) AS page_rows ON true
    "#);
}

#[test]
fn values_are_bound_and_cast() {
    assert_snapshot!(
        rendered("select=id&delay=gte.1&delay=lt.5&user=neq.x&landed=not.lte.2024-01-01&ratio=gt.0&doc=eq.{}", &list()),
        @r#"
        SELECT shown, bytes, total_rows
        FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
        FROM (SELECT row_to_json(page.*)::text AS shown
        FROM (SELECT "flights"."id" FROM "s"."flights"
        WHERE "flights"."delay" >= $1::bigint
        AND "flights"."delay" < $2::bigint
        AND "flights"."user" <> $3::text
        AND NOT ("flights"."landed" <= $4::text::timestamp with time zone)
        AND "flights"."ratio" > $5::double precision
        AND "flights"."doc" = $6::text::jsonb) AS page OFFSET 0) AS json_rows) AS page_rows ON true
        [I64(1), I64(5), Text("x"), Text("2024-01-01"), F64(0.0), Text("{}")]
        "#
    );
}

#[test]
fn lists_are_one_value() {
    assert_snapshot!(rendered(r#"select=id&delay=in.(1,2)&user=not.in.("a\"b\\",null)&day=in.()"#, &list()), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id" FROM "s"."flights"
    WHERE "flights"."delay" = ANY ($1::bigint[])
    AND NOT ("flights"."user" = ANY ($2::text[]))
    AND "flights"."day" = ANY ($3::text::date[])) AS page OFFSET 0) AS json_rows) AS page_rows ON true
    [I64s([1, 2]), Texts(["a\"b\\", "null"]), Text("{}")]
    "#);
}

#[test]
fn patterns_ignore_the_case_of_all_letters() {
    assert_snapshot!(
        rendered("select=id&user=like.a*&user=not.ilike.*%25b&raw=like.*&delay=ilike.1*", &list()),
        @r#"
        SELECT shown, bytes, total_rows
        FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
        FROM (SELECT row_to_json(page.*)::text AS shown
        FROM (SELECT "flights"."id" FROM "s"."flights"
        WHERE "flights"."user" LIKE $1::text
        AND NOT ("flights"."user" COLLATE "default" ILIKE $2::text)
        AND "flights"."raw" LIKE $3::text::bytea
        AND "flights"."delay" ILIKE $4::text) AS page OFFSET 0) AS json_rows) AS page_rows ON true
        [Text("a%"), Text("%%b"), Text("%"), Text("1%")]
        "#
    );
}

#[test]
fn states_are_keywords() {
    assert_snapshot!(
        rendered("select=id&id=is.null&id=is.not_null&page=is.true&page=not.is.false&page=is.unknown", &list()),
        @r#"
        SELECT shown, bytes, total_rows
        FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
        FROM (SELECT row_to_json(page.*)::text AS shown
        FROM (SELECT "flights"."id" FROM "s"."flights"
        WHERE "flights"."id" IS NULL
        AND "flights"."id" IS NOT NULL
        AND "flights"."page" IS TRUE
        AND NOT ("flights"."page" IS FALSE)
        AND "flights"."page" IS UNKNOWN) AS page OFFSET 0) AS json_rows) AS page_rows ON true
        "#
    );
}

#[test]
fn trees_are_bracketed() {
    assert_snapshot!(
        rendered("select=id&or=(id.eq.1,not.and(id.gt.2,delay.not.is.null))&not.or=(id.eq.3)", &list()),
        @r#"
        SELECT shown, bytes, total_rows
        FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
        FROM (SELECT row_to_json(page.*)::text AS shown
        FROM (SELECT "flights"."id" FROM "s"."flights"
        WHERE ("flights"."id" = $1::bigint
        OR NOT ("flights"."id" > $2::bigint
        AND NOT ("flights"."delay" IS NULL)))
        AND NOT ("flights"."id" = $3::bigint)) AS page OFFSET 0) AS json_rows) AS page_rows ON true
        [I64(1), I64(2), I64(3)]
        "#
    );
}

#[test]
fn order_is_as_requested() {
    assert_snapshot!(rendered("select=id&order=day.desc.nullslast,user.nullsfirst,id.asc&limit=3", &list()), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id" FROM "s"."flights"
    ORDER BY "flights"."day" DESC NULLS LAST, "flights"."user" NULLS FIRST, "flights"."id" ASC
    LIMIT 3) AS page OFFSET 0) AS json_rows) AS page_rows ON true
    "#);
}

#[test]
fn the_key_completes_every_order() {
    let order = |query: &str| {
        let text = rendered(&format!("select=id&{query}"), &list());
        let line = text.lines().find(|line| line.starts_with("ORDER BY")).unwrap().to_owned();
        let line = line.replace("\"flights\".", "");
        line.split([')', '$']).next().unwrap().trim_end_matches(" OFFSET ").to_owned()
    };
    assert_eq!(order("order=user&limit=7"), r#"ORDER BY "user", "id""#);
    assert_eq!(order("order=user"), r#"ORDER BY "user", "id""#);
    assert_eq!(order("order=day,user.desc.nullslast&offset=7"), r#"ORDER BY "day", "user" DESC NULLS LAST, "id" DESC"#);
    assert_eq!(order("order=id.desc,user&limit=7"), r#"ORDER BY "id" DESC, "user""#);
    assert_eq!(order("limit=7"), r#"ORDER BY "id""#);
}

#[test]
fn a_page_is_ordered_by_the_key_and_counted_apart() {
    let rendering = Rendering { total: Total::Exact, ..list() };
    assert_snapshot!(rendered("select=id&id=gt.1&limit=3&offset=2", &rendering), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT (SELECT count(*) FROM "s"."flights"
    WHERE "flights"."id" > $1::bigint) AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id" FROM "s"."flights"
    WHERE "flights"."id" > $1::bigint
    ORDER BY "flights"."id"
    LIMIT 3 OFFSET $2::bigint) AS page OFFSET 0) AS json_rows) AS page_rows ON true
    [I64(1), I64(2)]
    "#);
    assert_snapshot!(rendered("select=id&offset=2", &list()), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id" FROM "s"."flights"
    ORDER BY "flights"."id" OFFSET $1::bigint) AS page OFFSET 0) AS json_rows) AS page_rows ON true
    [I64(2)]
    "#);
    assert_snapshot!(rendered("select=id", &rendering), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT (SELECT count(*) FROM "s"."flights") AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT row_to_json(page.*)::text AS shown
    FROM (SELECT "flights"."id" FROM "s"."flights") AS page OFFSET 0) AS json_rows) AS page_rows ON true
    "#);
}

#[test]
fn a_page_is_never_longer_than_allowed() {
    let limit = |query: &str, max_rows| {
        let table = table();
        let rendering = Rendering { max_rows, ..list() };
        let sql = Query::parse(query, &table).unwrap().to_sql(&rendering).text;
        let limit = sql.split_once(" LIMIT ").map(|(_, limit)| limit.split_once(')').unwrap().0.to_owned());
        limit.unwrap_or_default()
    };
    assert_eq!(limit("", None), "");
    assert_eq!(limit("", Some(10)), "10");
    assert_eq!(limit("limit=5", Some(10)), "5");
    assert_eq!(limit("limit=50", Some(10)), "10");
    assert_eq!(limit("limit=0&offset=3", Some(10)), "0 OFFSET $1::bigint");
}

#[test]
fn placeholders_count_from_the_first_number() {
    let rendering = Rendering { first_placeholder: 4, schema: "a\"b", shape: Shape::Object, ..list() };
    assert_snapshot!(rendered("select=%22a%5C%22b%22:id&id=eq.1&limit=2", &rendering), @r#"
    SELECT shown, bytes, total_rows
    FROM (SELECT NULL::bigint AS total_rows) AS counted LEFT JOIN (SELECT shown, octet_length(shown) AS bytes
    FROM (SELECT CASE WHEN row_number() OVER () = 1 THEN row_to_json(page.*)::text ELSE '' END AS shown
    FROM (SELECT "flights"."id" AS "a""b" FROM "a""b"."flights"
    WHERE "flights"."id" = $4::bigint
    ORDER BY "flights"."id"
    LIMIT 2) AS page OFFSET 0) AS json_rows) AS page_rows ON true
    [I64(1)]
    "#);
}
