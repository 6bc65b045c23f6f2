//! Indexes of every kind and comments, in a real Postgres.

use std::sync::Arc;

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    postgres::test_database::TestDatabase,
    read_model::{
        Identifier, Table, TableSet, Value, WriteSet,
        query::{Query, Rendering, Shape, Sql, Total},
    },
};

struct Articles {
    connection: PgConnection,
    tables: TableSet,
    _database: TestDatabase,
}

impl Articles {
    async fn create() -> Self {
        let database = TestDatabase::create().await;
        let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
        let column = |name, column_type, description: Option<&str>| json!({"name": name, "type": column_type, "nullable": true, "description": description});
        let declaration = serde_json::from_value(json!({
            "name": "articles",
            "description": "It's an article, with a \\ in it.",
            "columns": [
                {"name": "article", "type": "i64"},
                column("title", "text", Some("What stands on the shelf.")),
                column("body", "text", None),
                column("labels", "text[]", None),
                column("sizes", "i64[]", None),
                column("details", "json", Some("Anything.")),
            ],
            "key": ["article"],
            "indexes": [
                {"name": "by_title", "kind": "btree", "columns": ["title"]},
                {"name": "by_labels", "kind": "gin", "columns": ["labels", "details"]},
                {"name": "words", "kind": "full_text", "language": "english", "columns": [
                    {"column": "title", "weight": "A"}, {"column": "body", "weight": "D"},
                ]},
            ],
        }));
        let table = Table::check(&declaration.unwrap()).unwrap();
        let tables = TableSet::new(Identifier::new("build_1").unwrap(), &[Arc::new(table)]);
        tables.create(&mut connection).await.unwrap();
        Self { connection, tables, _database: database }
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(self.tables.tables().next().unwrap())
    }

    async fn put<'r>(&mut self, rows: impl IntoIterator<Item = (i64, &'r str, String, &'r [&'r str])>) {
        let mut writes = WriteSet::new(&[self.table()]);
        for (article, title, body, labels) in rows {
            let labels = labels.iter().map(|&label| label.to_owned()).collect();
            writes.put(
                0,
                vec![
                    Value::I64(article),
                    Value::Text(title.to_owned()),
                    Value::Text(body),
                    Value::TextArray(labels),
                    Value::I64Array(vec![article, -article]),
                    Value::Json(crate::read_model::CanonicalJson::parse(&format!("{{\"no\":{article}}}")).unwrap()),
                ],
            );
        }
        self.tables.apply(&mut self.connection, &writes).await.unwrap();
    }

    fn sql(&self, query: &str) -> Sql {
        let table = self.table();
        let rendering = Rendering {
            schema: self.tables.schema().as_str(),
            rows: None,
            shape: Shape::List,
            total: Total::Uncounted,
            max_rows: None,
            max_row_bytes: None,
            next_values: false,
            first_placeholder: 1,
        };
        Query::parse(query, &table).unwrap().to_sql(&rendering)
    }

    /// The keys that a query finds, as JSON.
    async fn found(&mut self, query: &str) -> String {
        let sql = self.sql(&format!("{query}&select=article&order=article"));
        let mut statement = sqlx::query_scalar(&sql.text).persistent(false);
        for param in &sql.params {
            statement = statement.bind(param);
        }
        let rows: Vec<Option<String>> = statement.fetch_all(&mut self.connection).await.unwrap();
        let rows = rows.iter().flatten().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
        rows.map(|row| row["article"].to_string()).collect::<Vec<_>>().join(" ")
    }

    /// How Postgres would find them, where it may not read the whole table.
    async fn plan(&mut self, query: &str) -> String {
        let sql = self.sql(query);
        self.connection.execute("SET enable_seqscan = off").await.unwrap();
        let explain = format!("EXPLAIN {}", sql.text);
        let mut statement = sqlx::query_scalar(&explain).persistent(false);
        for param in &sql.params {
            statement = statement.bind(param);
        }
        let lines: Vec<String> = statement.fetch_all(&mut self.connection).await.unwrap();
        lines.join("\n")
    }
}

#[tokio::test]
async fn each_kind_of_index_is_made_and_used() {
    let mut articles = Articles::create().await;
    articles
        .put([
            (1, "A sundial", "Its gnomon casts a shadow".to_owned(), &["garden", "time"][..]),
            (2, "A clock", "It shows the time, shadows or not".to_owned(), &["time"]),
            (3, "Nothing", String::new(), &[]),
        ])
        .await;
    let queries = [
        ("title=eq.Nothing", "3"),
        ("labels=cs.{time}", "1 2"),
        ("labels=cs.{time,garden}", "1"),
        ("labels=cd.{time,x}", "2 3"),
        ("labels=ov.{garden,x}", "1"),
        ("labels=not.ov.{time}", "3"),
        ("details=cs.{\"no\":2}", "2"),
        ("or=(labels.cs.{garden},title.eq.Nothing)", "1 3"),
        ("words=wfts.shadow", "1 2"),
        ("words=wfts.shadow -clock", "1"),
        ("words=fts.casting%26gnomons", "1"),
        ("words=plfts.shadow time", "2"),
        ("words=phfts.casts a shadow", "1"),
        ("words=not.wfts.shadow", "3"),
        ("words=fts(simple).shadows", ""),
        ("or=(words.wfts.sundial,article.eq.3)", "1 3"),
        // Without an index: the words of a column, as they are.
        ("body=plfts(english).showing", "2"),
        ("body=plfts.showing", ""),
    ];
    for (query, found) in queries {
        assert_eq!(articles.found(query).await, found, "{query}, without indexes");
    }
    articles.tables.add_indexes(&mut articles.connection).await.unwrap();
    for (query, found) in queries {
        assert_eq!(articles.found(query).await, found, "{query}");
    }
    for query in ["labels=cs.{time}", "details=cs.{\"no\":2}", "words=wfts.shadow", "words=fts(simple).a"] {
        let plan = articles.plan(query).await;
        assert!(plan.contains("Bitmap Index Scan"), "{query}:\n{plan}");
    }
    let plan = articles.plan("title=eq.Nothing").await;
    assert!(plan.contains("articles_title_idx"), "{plan}");
}

#[tokio::test]
async fn a_full_text_index_is_asked_by_words_only() {
    let articles = Articles::create().await;
    let refused = |query: &str| Query::parse(query, &articles.table()).map(drop).unwrap_err();
    let error = refused("words=eq.shadow");
    assert_eq!(error.to_string(), "PGRST100: \"words\" is a full-text index");
    assert_eq!(error.hint.as_deref(), Some("Write words=wfts.words, as in a search engine."));
    for query in ["select=words", "order=words"] {
        let error = refused(query);
        assert_eq!(error.code.as_str(), "42703", "{query}");
        let hint = "\"words\" is a full-text index: write words=wfts.words to filter by it, and order=words.rank.desc beside that.";
        assert_eq!(error.hint.as_deref(), Some(hint), "{query}");
    }
    // Other indexes are not named in queries.
    assert_eq!(refused("by_title=eq.a").code.as_str(), "42703");
}

#[tokio::test]
async fn a_text_of_any_length_is_indexed_by_its_first_words() {
    let mut articles = Articles::create().await;
    // What takes most of a `tsvector` for its characters: letters of four bytes in words of two parts, none of them twice.
    let letter = |number: usize| char::from_u32(0x2_0000 + u32::try_from(number % 40_000).unwrap()).unwrap();
    let word = |number: usize| {
        let (one, other) = (letter(number), letter(number / 40_000 + 7));
        format!("{one}{other}-{other}{one} ")
    };
    let long: String = (0..MAX_FULL_TEXT_CHARS / 4).map(word).collect();
    articles.put([(1, "First", format!("beginning {long}"), &[][..]), (2, "Second", format!("{long} end"), &[])]).await;
    articles.tables.add_indexes(&mut articles.connection).await.unwrap();
    articles.put([(3, "Third", format!("beginning {long} end"), &[][..])]).await;
    assert_eq!(articles.found("words=plfts.beginning").await, "1 3");
    assert_eq!(articles.found("words=plfts.end").await, "");
    assert_eq!(articles.found("words=plfts.second").await, "2");
}

/// Postgres would take a minute for each row, and for a query a second for each 2,000 characters.
#[tokio::test]
async fn words_are_found_in_a_time_that_grows_with_the_text() {
    let mut articles = Articles::create().await;
    articles.connection.execute("SET statement_timeout = '10s'").await.unwrap();
    let slow = "a_".repeat(MAX_FULL_TEXT_CHARS);
    articles.put([(1, "First", slow.clone(), &[][..])]).await;
    articles.tables.add_indexes(&mut articles.connection).await.unwrap();
    articles.put([(2, "Second", slow, &[][..])]).await;
    assert_eq!(articles.found("words=plfts.second").await, "2");
    assert_eq!(articles.found("body=plfts(simple).a").await, "1 2");
    assert_eq!(articles.found("words=plfts(english).first").await, "1");
}

#[tokio::test]
async fn descriptions_are_comments() {
    let mut articles = Articles::create().await;
    let of_table: Option<String> = sqlx::query_scalar("SELECT obj_description('build_1.articles'::regclass)")
        .fetch_one(&mut articles.connection)
        .await
        .unwrap();
    assert_eq!(of_table.as_deref(), Some("It's an article, with a \\ in it."));
    let of_columns: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT attname::text, col_description(attrelid, attnum) FROM pg_attribute
         WHERE attrelid = 'build_1.articles'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
         ORDER BY attnum",
    )
    .fetch_all(&mut articles.connection)
    .await
    .unwrap();
    let shown: Vec<(&str, &str)> =
        of_columns.iter().map(|(name, text)| (name.as_str(), text.as_deref().unwrap_or_default())).collect();
    assert_eq!(shown, [("title", "What stands on the shelf."), ("details", "Anything.")]);
}
