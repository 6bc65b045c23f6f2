//! What is wrong with declarations, in words.

use gnomon_values::{
    ColumnType,
    declaration::{self, Column, Index, IndexKind, Reference, Table},
    projection::{self, Projection},
    wanted::Wanted,
};

fn column(name: &str, column_type: ColumnType) -> Column<'_> {
    Column { name, description: None, column_type, nullable: false }
}

fn legs() -> Table<'static> {
    Table {
        name: "legs",
        description: Some("A leg of a flight."),
        columns: vec![
            column("flight", ColumnType::Text),
            column("leg", ColumnType::I64),
            column("gates", ColumnType::TextArray),
            column("remark", ColumnType::CiText),
        ],
        key: vec!["flight", "leg"],
        indexes: Vec::new(),
        references: Vec::new(),
    }
}

fn reasons(tables: Vec<Table<'_>>) -> Vec<String> {
    projection::check("flights", &of_every_event(tables))
}

fn of_every_event(tables: Vec<Table<'_>>) -> Projection<'_> {
    Projection { description: None, tables, wanted: Wanted { all_types: true, ..Wanted::default() } }
}

fn with_reference(columns: &[&'static str], table: &'static str) -> Vec<String> {
    let stops = Table {
        name: "stops",
        columns: vec![
            column("stop", ColumnType::Text),
            column("flight", ColumnType::Text),
            column("leg", ColumnType::I64),
        ],
        key: vec!["stop"],
        references: vec![Reference { columns: columns.to_vec(), table }],
        ..legs()
    };
    reasons(vec![legs(), stops])
}

fn with_index(kind: IndexKind<'static>) -> Vec<String> {
    let table = Table { indexes: vec![Index { name: "words", kind }], ..legs() };
    declaration::check(&table).iter().map(ToString::to_string).collect()
}

#[test]
fn a_reference_is_to_the_whole_key_of_a_table_of_the_projection() {
    assert_eq!(with_reference(&["flight", "leg"], "legs"), [""; 0]);
    assert_eq!(with_reference(&["flight"], "stops"), [""; 0]);
    assert_eq!(
        with_reference(&["flight"], "planes"),
        ["table `stops` references `planes`, which is not one of the module's tables"]
    );
    assert_eq!(
        with_reference(&["flight"], "legs"),
        ["table `stops`: (flight) references `legs`, whose key is (flight, leg): give a column for each"]
    );
    assert_eq!(
        with_reference(&["leg", "flight"], "legs"),
        [
            "table `stops`: column `leg` is i64, but it references `legs`, whose key column `flight` is text",
            "table `stops`: column `flight` is text, but it references `legs`, whose key column `leg` is i64"
        ]
    );
    assert_eq!(
        with_reference(&["flight", "gate"], "legs"),
        ["table `stops`: the reference to `legs` names `gate`, which is not a column of the table"]
    );
    assert_eq!(
        with_reference(&[], "legs"),
        [
            "table `stops`: columns of the reference to `legs`: 0; 1 to 16 are allowed",
            "table `stops`: () references `legs`, whose key is (flight, leg): give a column for each"
        ]
    );
}

#[test]
fn wanted_tags_are_tags_of_events_and_each_is_named_once() {
    let wanting = |tags: &[&str]| {
        let wanted = Wanted { all_types: true, tags: tags.to_vec(), ..Wanted::default() };
        projection::check("flights", &Projection { wanted, ..of_every_event(vec![legs()]) })
    };
    let (longest, longer) = ("x".repeat(256), "x".repeat(257));
    assert_eq!(wanting(&["course:c1", "student:s1", &longest]), [""; 0]);
    assert_eq!(
        wanting(&["course:c1", "", "a\n", "course:c1", &longer]),
        [
            "the tag must not be empty".to_owned(),
            "the tag \"a\\n\" contains the control character '\\n'".to_owned(),
            "tag `course:c1` is named twice".to_owned(),
            format!("the tag `{longer}` has 257 bytes; at most 256 are allowed"),
        ]
    );
    let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(wanting(&many), ["event types: 0, categories: 0, tags: 1001; at most 1000 of each are allowed"]);
}

#[test]
fn each_kind_of_index_has_its_types() {
    let full_text = |language, columns: &[&'static str]| IndexKind::FullText { language, columns: columns.to_vec() };
    assert_eq!(with_index(full_text("simple", &["flight", "remark"])), [""; 0]);
    assert_eq!(with_index(IndexKind::Gin(vec!["gates"])), [""; 0]);
    assert_eq!(with_index(IndexKind::Btree(vec!["remark", "leg"])), [""; 0]);
    assert_eq!(
        with_index(full_text("english", &["leg"])),
        ["table `legs`: index `words`: column `leg` is i64, but the index needs text"]
    );
    assert!(with_index(full_text("Simple", &["flight"]))[0].contains("Postgres has no text search for `Simple`"));
    assert_eq!(
        with_index(IndexKind::Gin(vec!["flight"])),
        ["table `legs`: index `words`: column `flight` is text, but the index needs json or arrays"]
    );
    assert_eq!(
        with_index(IndexKind::Btree(vec!["gates"])),
        [
            "table `legs`: index `words`: column `gates` is text[], but the index needs values that have an order; a gin index \
          finds what json and arrays contain"
        ]
    );
}

#[test]
fn every_type_says_where_it_may_stand() {
    for column_type in ColumnType::ALL {
        // What can be a key has an order, and is searched for by it.
        if column_type.not_a_key().is_none() {
            assert!(column_type.has_order() && column_type.can_be_found(), "{column_type}");
        }
        assert!(column_type.has_order() != column_type.has_elements(), "{column_type}");
    }
}
