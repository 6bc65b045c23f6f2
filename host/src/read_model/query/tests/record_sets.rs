//! Rows that are in no table have the answers that those of a table have.

use std::sync::Arc;

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};

use super::{
    database::{Database, list},
    strategies::{query, rows},
    table,
};
use crate::read_model::{
    Identifier, RecordSet, Row, TableSet,
    query::{Query, QueryError, Rendering, Shape, Total},
    samples::{column, declaration},
};

/// Answers from a table, and from the same rows in no table.
struct Both {
    database: Database,
    tables: TableSet,
}

impl Both {
    fn create(table: crate::read_model::Table) -> Self {
        let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::new(table)]);
        let database = Database::create();
        database.run(async |connection| tables.create(connection).await).unwrap();
        Self { database, tables }
    }

    fn fill(&self, rows: &[Row]) -> RecordSet {
        let set = RecordSet::new(self.tables.clone(), 0, rows.to_vec());
        let name = self.tables.tables().next().unwrap().name().quoted();
        self.database.execute(format!("DELETE FROM build_1.{name}"));
        self.database.run(async |connection| self.tables.apply(connection, &set.writes()).await).unwrap();
        set
    }

    /// The bodies with the totals, in the order of the table and of the others.
    fn ask(&self, set: &RecordSet, url: &str, shape: Shape) -> [Result<(String, Option<i64>), QueryError>; 2] {
        let table = self.tables.tables().next().unwrap();
        let query = Query::parse(url, table).unwrap();
        let rendering = Rendering { schema: "build_1", shape, total: Total::Exact, max_rows: Some(7), ..list() };
        let from = set.sql(1);
        let replaced = Rendering { rows: Some(&from), first_placeholder: 1 + set.parameters(), ..rendering };
        let answers = [(None, &rendering), (Some(set), &replaced)];
        answers.map(|(rows, rendering)| {
            let answer = self.database.answer_from(rows, &query, rendering)?;
            Ok((answer.body, answer.total_rows))
        })
    }
}

#[test]
fn random_queries_have_the_same_answers() {
    let (both, table) = (Both::create(table()), table());
    let shapes = prop::sample::select(vec![Shape::List, Shape::Csv, Shape::StrippedList]);
    let strategy = (rows(&table), prop::collection::vec((query(&table), shapes), 4));
    TestRunner::new(Config::default())
        .run(&strategy, |(rows, queries)| {
            let set = both.fill(&rows);
            for (query, shape) in queries {
                let url = query.url(&table);
                // Pages are cut by the limit, so that they are in order.
                let [of_table, of_rows] = both.ask(&set, &url, shape);
                prop_assert_eq!(of_table, of_rows, "{}", url);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_part_of_the_grammar_has_the_same_answer() {
    let both = Both::create(table());
    let mut runner = TestRunner::deterministic();
    let mut rows = rows(&table()).new_tree(&mut runner).unwrap().current();
    while rows.len() < 5 {
        rows = self::rows(&table()).new_tree(&mut runner).unwrap().current();
    }
    let set = both.fill(&rows);
    for url in [
        "",
        "select=id,fare::text,delay::text,landed::text,ratio::text,raw::text,tags,seats,weights,crew,boarding,gate_closes",
        "select=doc->a,doc->>a,doc->a->0,seats->0,tags->>1",
        "select=n:id,user&order=user.desc.nullslast,city.nullsfirst,day",
        "city=eq.A&order=city",
        "city=ilike.*e*",
        "user=like.*a*&city=match.b",
        "tags=cs.{a}&seats=ov.{7,0}",
        "doc=cs.{}&doc=isdistinct.null",
        "landed=gte.1970-01-01T00:00:00Z&day=lt.2024-02-29",
        "or=(delay.gt.0,and(fare.lte.1.5,ratio.is.null))&not.and=(page.is.true,id.gt.3)",
        "select=city,count(),fare.sum(),fare.max(),delay.avg()&order=city",
        "select=count()",
        "select=landed.min()::text",
        "id=in.(1,2,3)&select=id&limit=2&offset=1",
        "cursor=&order=delay.desc,user&limit=2",
        "landed=lt.now",
    ] {
        for shape in [Shape::List, Shape::Object, Shape::Csv] {
            let [of_table, of_rows] = both.ask(&set, url, shape);
            assert_eq!(of_table, of_rows, "{url}");
            assert!(of_table.is_ok(), "{url}: {of_table:?}");
        }
    }
}

#[test]
fn errors_of_postgres_are_the_same() {
    let both = Both::create(table());
    let set = both.fill(&[]);
    for url in ["delay=eq.x", "day=eq.2020-02-30", "ratio=like.x", "select=user::integer&user=eq.x", "tags=eq.x"] {
        let [of_table, of_rows] = both.ask(&set, url, Shape::List);
        assert_eq!(of_table, of_rows, "{url}");
    }
}

/// Words of a full-text index are found and ranked without the index.
#[test]
fn words_are_found_ranked_and_shown_in_snippets() {
    use crate::read_model::{ColumnType, IndexDeclaration, IndexKindDeclaration, Table, Value, Weight, WeightedColumn};
    let mut declared = declaration("t", [column("id", ColumnType::Text), column("body", ColumnType::Text)], &["id"]);
    let columns = vec![WeightedColumn { column: "body".to_owned(), weight: Weight::A }];
    let kind = IndexKindDeclaration::FullText { language: "english".to_owned(), columns };
    declared.indexes = vec![IndexDeclaration { name: "words".to_owned(), kind }];
    let both = Both::create(Table::check(&declared).unwrap());
    let texts = ["the cats sat", "a dog and a cat, and another cat", "nothing"];
    let rows: Vec<Row> = (1..)
        .zip(texts)
        .map(|(id, text): (i32, _)| vec![Value::Text(id.to_string()), Value::Text(text.to_owned())])
        .collect();
    let set = both.fill(&rows);
    for url in ["words=fts.cat", "words=wfts.cat&order=words.rank.desc", "words=plfts.cat&select=id,words.snippet()"] {
        let [of_table, of_rows] = both.ask(&set, url, Shape::List);
        assert_eq!(of_table, of_rows, "{url}");
        assert_eq!(of_table.unwrap().1, Some(2), "{url}");
    }
}
