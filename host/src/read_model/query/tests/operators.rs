//! Every operator that compares, with lists, on columns of every type: Postgres finds what a naive evaluation finds.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use super::{
    database::{Database, list},
    model::{any, compare, encoded, in_quotes, like},
    strategies::rows,
    table,
};
use crate::{
    postgres::array_literal,
    read_model::{
        ColumnType, Row, Table, Value,
        samples::{text, value},
    },
};

/// A test of a column, with its text as in a query string.
#[derive(Clone, Debug)]
enum Test {
    /// `eq(any).{…}`
    List {
        operator: &'static str,
        any: bool,
        values: Vec<Option<Value>>,
    },
    /// `like(all).{…}`
    Patterns {
        operator: &'static str,
        any: bool,
        patterns: Vec<String>,
    },
    IsDistinct(Value),
    /// `cs`, `cd` and `ov` of arrays.
    Contain {
        operator: &'static str,
        value: Value,
    },
    /// Regular expressions: their letters, each repeated or not, and where they are fixed.
    Regex {
        any_case: bool,
        start: bool,
        parts: Vec<(char, bool)>,
        end: bool,
    },
}

impl Test {
    /// `operator.value`
    fn expression(&self, write: impl Fn(&str) -> String) -> String {
        let quantifier = |any: &bool| if *any { "any" } else { "all" };
        match self {
            Self::List { operator, any, values } => {
                let values: Vec<_> = values.iter().map(|value| value.as_ref().map(text)).collect();
                format!("{operator}({}).{}", quantifier(any), write(&nullable_list(&values)))
            }
            Self::Patterns { operator, any, patterns } => {
                format!("{operator}({}).{}", quantifier(any), write(&array_literal(patterns)))
            }
            Self::IsDistinct(value) => format!("isdistinct.{}", write(&text(value))),
            Self::Contain { operator, value } => format!("{operator}.{}", write(&text(value))),
            Self::Regex { any_case, start, parts, end } => {
                let parts: String = parts.iter().map(|(letter, star)| regex_part(*letter, *star)).collect();
                let [start, end] = [(start, "^"), (end, "$")].map(|(fixed, text)| if *fixed { text } else { "" });
                format!("{}.{}", if *any_case { "imatch" } else { "match" }, write(&format!("{start}{parts}{end}")))
            }
        }
    }

    /// Whether it holds for a cell; `None` is unknown.
    fn holds(&self, cell: &Value) -> Option<bool> {
        let quantified = |for_any: bool, each: Vec<Option<bool>>| match for_any {
            true => any(each.into_iter()),
            false => any(each.into_iter().map(|holds| holds.map(|holds| !holds))).map(|fails| !fails),
        };
        match self {
            Self::List { operator, any, values } => {
                let each = values.iter().map(|value| value.as_ref().and_then(|value| compare(operator, cell, value)));
                quantified(*any, each.collect())
            }
            Self::Patterns { operator, any, patterns } => {
                let each = patterns.iter().map(|pattern| like(cell, pattern, *operator == "ilike"));
                quantified(*any, each.collect())
            }
            Self::IsDistinct(value) => Some(compare("eq", cell, value) != Some(true)),
            Self::Contain { operator, value } => {
                let (all, of) = match *operator {
                    "cd" => (elements(cell)?, elements(value)?),
                    _ => (elements(value)?, elements(cell)?),
                };
                let is_in = |element: &String| of.contains(element);
                Some(if *operator == "ov" { all.iter().any(is_in) } else { all.iter().all(is_in) })
            }
            Self::Regex { any_case, start, parts, end } => {
                let (text, any_case) = match cell {
                    Value::Text(text) => (text, *any_case),
                    Value::CiText(text) => (text, true),
                    _ => return None,
                };
                let fold = |text: &str| if any_case { text.to_lowercase() } else { text.to_owned() };
                let text: Vec<char> = fold(text).chars().collect();
                let parts: Vec<(char, bool)> = parts
                    .iter()
                    .map(|(letter, star)| (fold(&letter.to_string()).chars().next().unwrap(), *star))
                    .collect();
                let starts = if *start { 0..=0 } else { 0..=text.len() };
                Some(starts.into_iter().any(|at| matches_regex(&text[at..], &parts, *end)))
            }
        }
    }
}

fn nullable_list(values: &[Option<String>]) -> String {
    let values = values.iter().map(|value| match value {
        Some(value) => array_literal([value]).trim_start_matches('{').strip_suffix('}').unwrap().to_owned(),
        None => "null".to_owned(),
    });
    format!("{{{}}}", values.collect::<Vec<_>>().join(" , "))
}

/// The elements of an array, in a form in which equal ones are equal.
fn elements(array: &Value) -> Option<Vec<String>> {
    Some(match array {
        Value::TextArray(texts) => texts.clone(),
        Value::I64Array(numbers) => numbers.iter().map(i64::to_string).collect(),
        Value::F64Array(numbers) => numbers.iter().map(|number| number.get().to_string()).collect(),
        Value::UuidArray(uuids) => uuids.iter().map(ToString::to_string).collect(),
        _ => return None,
    })
}

fn regex_part(letter: char, star: bool) -> String {
    let escaped =
        if "().*\\{}$^[]+?|".contains(letter) && letter != '.' { format!("\\{letter}") } else { letter.to_string() };
    format!("{escaped}{}", if star { "*" } else { "" })
}

fn matches_regex(text: &[char], parts: &[(char, bool)], end: bool) -> bool {
    let is_one = |letter: char, found: &char| letter == '.' || letter == *found;
    match parts {
        [] => !end || text.is_empty(),
        [(letter, true), further @ ..] => {
            let most = text.iter().take_while(|found| is_one(*letter, found)).count();
            (0..=most).any(|taken| matches_regex(&text[taken..], further, end))
        }
        [(letter, false), further @ ..] => {
            text.first().is_some_and(|found| is_one(*letter, found)) && matches_regex(&text[1..], further, end)
        }
    }
}

fn test_of(column_type: ColumnType) -> BoxedStrategy<Test> {
    let operators: &[_] = match column_type {
        // The order that Postgres has for JSON is of no use to clients.
        ColumnType::Json => &["eq"],
        _ => &["eq", "gt", "gte", "lt", "lte"],
    };
    let values = prop::collection::vec(prop::option::weighted(0.8, value(column_type)), 0..4);
    let list = (select(operators), any_bool(), values).prop_map(|(operator, any, values)| Test::List {
        operator,
        any,
        values,
    });
    let distinct = value(column_type).prop_map(Test::IsDistinct);
    if column_type.is_array() {
        let contain = (select(vec!["cs", "cd", "ov"]), value(column_type))
            .prop_map(|(operator, value)| Test::Contain { operator, value });
        return prop_oneof![2 => list, 1 => distinct, 3 => contain].boxed();
    }
    if !column_type.has_words() {
        return prop_oneof![3 => list, 1 => distinct].boxed();
    }
    let pattern = prop::collection::vec(select(vec!["a", "A", "é", "b", "%", "*", "_", "\\\\", "\"", ",", "{"]), 0..4);
    let patterns = prop::collection::vec(pattern.prop_map(|pieces| pieces.concat()), 0..4);
    // A star means `%` even after a backslash, which then escapes it.
    let patterns = patterns.prop_map(|patterns| patterns.iter().map(|pattern| pattern.replace("\\*", "\\%")).collect());
    let patterns = (select(vec!["like", "ilike"]), any_bool(), patterns)
        .prop_map(|(operator, any, patterns)| Test::Patterns { operator, any, patterns });
    let letter = select(vec!['a', 'A', 'b', 'é', 'É', '.', '%', '_']);
    let regex = (any_bool(), any_bool(), prop::collection::vec((letter, any_bool()), 0..4), any_bool())
        .prop_map(|(any_case, start, parts, end)| Test::Regex { any_case, start, parts, end });
    prop_oneof![2 => list, 1 => distinct, 2 => patterns, 2 => regex].boxed()
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}

/// The keys of the rows that a query finds.
fn found(database: &Database, table: &Table, url: &str) -> Result<Vec<i64>, TestCaseError> {
    let answer = database.answer(table, &format!("select=id&order=id&{url}"), &list());
    let answer = answer.map_err(|error| TestCaseError::fail(format!("{url}: {error:?}")))?;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
    Ok(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect())
}

#[test]
fn postgres_finds_what_the_operators_mean() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    let columns: Vec<_> = table.columns().iter().map(|column| column.column_type).enumerate().collect();
    let test = (select(columns), any_bool())
        .prop_flat_map(|((column, column_type), not)| (Just(column), Just(not), test_of(column_type)));
    let strategy = (rows(&table), prop::collection::vec(test, 12));
    TestRunner::new(Config::default())
        .run(&strategy, |(rows, tests): (Vec<Row>, _)| {
            database.fill(&table, &rows);
            for (column, not, test) in tests {
                let name = &table.columns()[column].name;
                let negation = if not { "not." } else { "" };
                let matching = rows.iter().filter(|row| test.holds(&row[column]) == Some(!not));
                let expected: Vec<_> = matching
                    .map(|row| match row[0] {
                        Value::I64(id) => id,
                        _ => panic!("id is a number"),
                    })
                    .collect();
                let alone = format!("{name}={}", encoded(&format!("{negation}{}", test.expression(str::to_owned))));
                prop_assert_eq!(&found(&database, &table, &alone)?, &expected, "{}", alone);
                let inside = format!("(id.lt.0,{name}.{negation}{})", test.expression(in_quotes));
                let inside = format!("or={}", encoded(&inside));
                prop_assert_eq!(&found(&database, &table, &inside)?, &expected, "{}", inside);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn times_in_lists_are_truncated_as_those_of_rows_are() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    database.execute(format!(
        "INSERT INTO {} (id, landed, boarding, gate_closes) VALUES (1, '2024-02-29 12:00:00.123456+00', '2024-02-29 \
         12:00:00.123456', '12:00:00.123456')",
        super::database::qualified(&table)
    ));
    for (query, ids) in [
        ("landed=eq(any).{2024-02-29T12:00:00.1234569Z}", &[1][..]),
        ("landed=isdistinct.2024-02-29T12:00:00.1234569Z", &[]),
        ("boarding=eq(any).{2024-02-29T12:00:00.1234569}", &[1]),
        ("gate_closes=gte(all).{12:00:00.1234569,null}", &[]),
        ("gate_closes=gte(all).{12:00:00.1234569}", &[1]),
        ("gate_closes=isdistinct.12:00:00.1234569", &[]),
        ("or=(landed.eq(any).{2024-02-29T12:00:00.1234569Z},id.eq.7)", &[1]),
    ] {
        assert_eq!(found(&database, &table, query).unwrap(), ids, "{query}");
    }
    for query in ["landed=eq(any).{2016-12-31T23:59:60Z}", "landed=isdistinct.2016-12-31T23:59:60Z"] {
        assert_eq!(database.answer(&table, query, &list()).unwrap_err().code.as_str(), "22008", "{query}");
    }
    for query in ["boarding=eq(any).{2024-01-01T00:00:00Z}", "gate_closes=isdistinct.10:17Z"] {
        assert_eq!(database.answer(&table, query, &list()).unwrap_err().code.as_str(), "22007", "{query}");
    }
}

#[test]
fn what_a_type_does_not_have_is_the_error_of_postgres() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    for (query, code, message) in [
        ("delay=sl.(1,2)", "42883", "operator does not exist: bigint << bigint"),
        ("day=adj.[2024-01-01,2024-02-01)", "42883", "operator does not exist: date -|- date"),
        ("user=nxr.a", "42883", "operator does not exist: text &< text"),
        ("landed=nxl.a", "42883", "operator does not exist: timestamp with time zone &> timestamp with time zone"),
        ("ticket=sr.a", "42883", "operator does not exist: uuid >> uuid"),
        ("delay=match.1", "42883", "operator does not exist: bigint ~ text"),
        ("doc=imatch.1", "42883", "operator does not exist: jsonb ~* text"),
        ("raw=match.1", "42883", "operator does not exist: bytea ~ text"),
        ("delay=cs.{1}", "42883", "operator does not exist: bigint @> bigint"),
        ("delay=eq(any).{a}", "22P02", "invalid input syntax for type bigint: \"a\""),
        ("delay=isdistinct.null", "22P02", "invalid input syntax for type bigint: \"null\""),
        ("user=match.(", "2201B", "invalid regular expression: parentheses () not balanced"),
        ("user=match.a{256}", "PGRST100", "the regular expression is too large"),
        ("doc->>a->>b=eq.1", "42883", "operator does not exist: text ->> unknown"),
        ("doc->99999999999=is.null", "22003", "value \"99999999999\" is out of range for type integer"),
        ("doc->a=eq.x", "22P02", "invalid input syntax for type json"),
        ("doc->a=is.true", "42804", "argument of IS TRUE must be type boolean, not type jsonb"),
    ] {
        let error = database.answer(&table, query, &list()).unwrap_err();
        assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{query}");
    }
}
