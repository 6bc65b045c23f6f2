//! Ranks: the order by how well rows fit the words that a query searches for.

use super::database::{Database, list, qualified};
use crate::read_model::{
    ColumnType, IndexDeclaration, IndexKindDeclaration, Table, Weight, WeightedColumn,
    query::{Query, QueryError},
    samples::{column, declaration, nullable},
};

/// Articles with an index over the words of two columns.
pub(super) fn articles() -> Table {
    let columns =
        [column("id", ColumnType::I64), nullable("title", ColumnType::Text), nullable("body", ColumnType::CiText)];
    let mut declaration = declaration("articles", columns, &["id"]);
    let weighted = |column: &str, weight| WeightedColumn { column: column.to_owned(), weight };
    declaration.indexes.push(IndexDeclaration {
        name: "words".to_owned(),
        kind: IndexKindDeclaration::FullText {
            language: "english".to_owned(),
            columns: vec![weighted("title", Weight::A), weighted("body", Weight::B)],
        },
    });
    Table::check(&declaration).unwrap()
}

fn database() -> Database {
    let (database, table) = (Database::create(), articles());
    database.create_table(&table);
    database.execute(format!(
        "INSERT INTO {} VALUES (1, 'A clock', 'It has no shadow'), (2, 'Shadows', 'A shadow, and another shadow'), \
         (3, 'Nothing', NULL), (4, 'The shadow', 'of a clock'), (5, NULL, 'Shadow clock')",
        qualified(&table)
    ));
    database
}

fn ids(database: &Database, query: &str) -> Vec<i64> {
    let answer = database.answer(&articles(), query, &list()).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn rows_come_in_the_order_of_their_rank() {
    let database = database();
    for (query, expected) in [
        ("words=wfts.shadow&order=words.rank.desc", &[2, 4, 5, 1][..]),
        ("words=wfts.shadow&order=words.rank.desc&limit=1&offset=1", &[4]),
        // Equal ranks are in the order of the key, in the direction of the last term.
        ("words=wfts.shadow&order=words.rank", &[1, 5, 4, 2]),
        ("words=wfts.shadow&order=words.rank.desc,id.asc", &[2, 4, 1, 5]),
        ("words=wfts.shadow&words=wfts.clock&order=words.rank.desc,id", &[1, 4, 5]),
        ("words=wfts.\"shadow clock\" or clock&order=words.rank.desc,id", &[1, 4, 5]),
        ("or=(words.fts.shadow,words.plfts.clock)&order=words.rank.desc.nullslast&limit=2", &[4, 1]),
        ("words=not.wfts.clock&words=phfts(simple).shadow&order=words.rank", &[2]),
    ] {
        assert_eq!(ids(&database, query), expected, "{query}");
    }
}

#[test]
fn a_rank_needs_words() {
    let refused = |query: &str| -> QueryError { Query::parse(query, &articles()).unwrap_err() };
    for query in [
        "order=words.rank",
        "words=not.wfts.a&order=words.rank",
        "not.or=(words.wfts.a)&order=words.rank.desc",
        "title=wfts.a&order=words.rank.desc",
    ] {
        let error = refused(query);
        assert_eq!(error.code.as_str(), "PGRST100", "{query}");
        assert_eq!(error.message, "the query does not search for words in \"words\"", "{query}");
        assert_eq!(error.hint.as_deref(), Some("Add a filter, such as words=wfts.words."));
    }
    assert_eq!(refused("order=title.rank").message, "\"title\" is not a full-text index");
    assert_eq!(refused("order=words.rnk").message, "\"failed to parse order (words.rnk)\" (line 1, column 7)");
    let error = refused("order=words.desc");
    assert_eq!(error.code.as_str(), "42703");
    assert!(error.hint.unwrap().contains("order=words.rank.desc"));
    // A rank depends on what others wrote: there is no place to go on from.
    let error = refused("words=wfts.a&order=words.rank&cursor=");
    assert_eq!(error.message, "the query has no cursor");
    let table = articles();
    assert!(!Query::parse("words=wfts.a&order=words.rank&limit=2", &table).unwrap().can_continue());
    assert!(Query::parse("words=wfts.a&order=id&limit=2", &table).unwrap().can_continue());
}

#[test]
fn a_snippet_needs_words() {
    let refused = |query: &str| -> QueryError { Query::parse(query, &articles()).unwrap_err() };
    for query in ["select=words.snippet()", "select=id,s:words.snippet()&words=not.wfts.a"] {
        assert_eq!(refused(query).message, "the query does not search for words in \"words\"", "{query}");
    }
    assert_eq!(refused("select=title.snippet()&words=wfts.a").message, "\"title\" is not a full-text index");
    assert_eq!(refused("select=count(),words.snippet()&words=wfts.a").code.as_str(), "42803");
    let many = vec!["words.snippet()"; 18].join(",");
    assert_eq!(
        refused(&format!("select={many}&words=wfts.a")).message,
        "the query has too many columns that are selected again"
    );
}
