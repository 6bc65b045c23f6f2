//! The keys of the rows that a query asks for, if it names them.

use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay};
use uuid::Uuid;

use super::{
    Query,
    condition::{Against, Comparison, Condition, Operand, Test},
    logic::Logic,
};
use crate::read_model::{Column, ColumnType, Decimal, Key, Value};

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Query<'_> {
    /// The keys of all rows of its table that the query may be answered from, if it names them: its filters give each column of the key one value
    /// (`eq`), or one of a list (`in`), and nothing is embedded. `None` as well if they are more than `max`, or if a value is not written in its
    /// usual form: then only Postgres knows which value it is.
    #[must_use]
    pub fn asked_keys(&self, max: usize) -> Option<Vec<Key>> {
        if !self.root.embeddings.is_empty() {
            return None;
        }
        let mut keys = vec![Key::new()];
        for column in self.root.table.key_columns() {
            let given = self.root.conditions.iter().filter_map(|logic| given(column, logic));
            let mut values = given.min_by_key(|texts| texts.len())?;
            // Repeated values are one row.
            values.sort_unstable();
            values.dedup();
            if keys.len() * values.len() > max {
                return None;
            }
            let values: Vec<Value> =
                values.iter().map(|text| value(column.column_type, text)).collect::<Option<_>>()?;
            let longer =
                |key: Key| values.iter().map(move |value| [key.as_slice(), std::slice::from_ref(value)].concat());
            keys = keys.into_iter().flat_map(longer).collect();
        }
        Some(keys)
    }
}

/// The texts of the values that a filter lets a column have, if it names them.
fn given<'l>(column: &Column, logic: &'l Logic<'_>) -> Option<Vec<&'l str>> {
    let Logic::Condition(Condition { operand: Operand::Field(field), negated: false, test }) = logic else {
        return None;
    };
    if field.column.name != column.name || !field.path.is_empty() {
        return None;
    }
    match test {
        Test::Compare(Comparison::Eq, Against::One(value)) => Some(vec![value]),
        Test::In(values) => Some(values.iter().map(String::as_str).collect()),
        _ => None,
    }
}

/// The value that Postgres reads from a text, if the text is of the usual form.
fn value(column_type: ColumnType, text: &str) -> Option<Value> {
    let micros = |instant: String| Instant::parse(&instant).ok().map(|instant| instant.0);
    Some(match column_type {
        ColumnType::Text => Value::Text(text.to_owned()),
        ColumnType::Bool => Value::Bool(text.parse().ok()?),
        ColumnType::I64 if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Value::I64(text.parse().ok()?)
        }
        ColumnType::Decimal => Value::Decimal(Decimal::parse(text).ok()?),
        ColumnType::Timestamp => Value::Timestamp(Instant::parse(text).ok()?),
        ColumnType::LocalTimestamp => Value::LocalTimestamp(LocalTimestamp(micros(format!("{text}Z"))?)),
        ColumnType::Date => {
            let day = micros(format!("{text}T00:00:00Z"))?.div_euclid(MICROS_PER_DAY);
            Value::Date(Day(i32::try_from(day).ok()?))
        }
        ColumnType::Time => Value::Time(TimeOfDay(micros(format!("1970-01-01T{text}Z"))?)),
        ColumnType::Uuid if text.len() == uuid::fmt::Hyphenated::LENGTH => Value::Uuid(Uuid::try_parse(text).ok()?),
        ColumnType::Bytes => Value::Bytes(bytes(text.strip_prefix("\\x")?)?),
        _ => return None,
    })
}

/// The bytes of hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{
        Table,
        query::Catalog,
        samples::{column, declaration, text, value as sample},
    };
    use proptest::{
        prelude::*,
        strategy::ValueTree,
        test_runner::{Config, TestRunner},
    };

    fn table() -> Table {
        let columns = [column("a", ColumnType::Text), column("b", ColumnType::I64), column("c", ColumnType::I64)];
        Table::check(&declaration("t", columns, &["b", "a"])).unwrap()
    }

    fn asked(query: &str) -> Option<Vec<Key>> {
        Query::parse(query, &table()).unwrap().asked_keys(6)
    }

    #[test]
    fn a_query_names_keys_if_its_filters_give_each_column_of_the_key_its_values() {
        let key = |b: i64, a: &str| vec![Value::I64(b), Value::Text(a.to_owned())];
        for (query, keys) in [
            ("a=eq.x&b=eq.7", Some(vec![key(7, "x")])),
            ("b=eq.7&a=eq.x&c=gt.1&or=(c.eq.1,c.eq.2)&select=c&order=c&limit=1", Some(vec![key(7, "x")])),
            ("b=in.(7,-1)&a=in.(y,x,y)", Some(vec![key(-1, "x"), key(-1, "y"), key(7, "x"), key(7, "y")])),
            // All filters hold: the one with fewer values is enough.
            ("b=in.(1,2,3,4,5,6,7)&b=eq.7&a=eq.x", Some(vec![key(7, "x")])),
            ("b=in.()&a=eq.x", Some(vec![])),
            ("a=eq.x", None),
            ("a=eq.x&b=gte.7&b=lte.7", None),
            ("a=eq.x&b=not.eq.7", None),
            ("a=eq.x&or=(b.eq.7,c.eq.1)", None),
            ("a=like.x&b=eq.7", None),
            ("a=eq(any).{x}&b=eq.7", None),
            ("a=eq.x&b=in.(1,2,3,4,5,6,7)", None),
            ("a=in.(x,y)&b=in.(1,2,3,4)", None),
            // Postgres may read these, or refuse them.
            ("a=eq.x&b=eq.+7", None),
            ("a=eq.x&b=eq. 7", None),
            ("a=eq.x&b=eq.seven", None),
        ] {
            let found = asked(query);
            let sorted = |keys: Option<Vec<Key>>| keys.map(|mut keys| (keys.sort(), keys).1);
            assert_eq!(sorted(found), sorted(keys), "{query}");
        }
    }

    #[test]
    fn embedding_names_no_keys() {
        let parent = Table::check(&declaration("p", [column("id", ColumnType::Text)], &["id"])).unwrap();
        let mut child = declaration("c", [column("id", ColumnType::Text), column("p", ColumnType::Text)], &["id"]);
        child.references =
            vec![crate::read_model::ReferenceDeclaration { columns: vec!["p".to_owned()], table: "p".to_owned() }];
        let child = Table::check(&child).unwrap();
        let catalog = Catalog { projection: "x", tables: vec![&parent, &child], aggregates: true };
        let asked = |query| Query::parse_in(&catalog, &child, query).unwrap().asked_keys(6);
        assert_eq!(asked("id=eq.1&select=id,p"), Some(vec![vec![Value::Text("1".to_owned())]]));
        assert_eq!(asked("id=eq.1&select=id,...p(*)"), None);
    }

    /// What is written in a filter as Gnomon shows it is that value.
    #[test]
    fn values_of_each_type_are_read_from_their_usual_form() {
        let mut runner = TestRunner::new(Config::default());
        for column_type in ColumnType::ALL {
            for _ in 0..50 {
                let cell = sample(column_type).new_tree(&mut runner).unwrap().current();
                let expected = column_type.not_a_key().is_none().then(|| cell.clone());
                assert_eq!(value(column_type, &text(&cell)), expected, "{column_type}");
            }
        }
        for (column_type, text) in [
            (ColumnType::Bool, "t"),
            (ColumnType::I64, "1-1"),
            (ColumnType::I64, ""),
            (ColumnType::Decimal, "1e2"),
            (ColumnType::Timestamp, "2020-01-01"),
            (ColumnType::Timestamp, "now"),
            (ColumnType::LocalTimestamp, "2020-01-01"),
            (ColumnType::Date, "2020-02-30"),
            (ColumnType::Time, "24:00:00"),
            (ColumnType::Uuid, "{00000000-0000-0000-0000-00000000000a"),
            (ColumnType::Bytes, "a"),
            (ColumnType::Bytes, "\\x1"),
            (ColumnType::Bytes, "\\xé1"),
        ] {
            assert_eq!(value(column_type, text), None, "{column_type} {text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            for column_type in ColumnType::ALL {
                let _ = value(column_type, &text);
            }
        }
    }
}
