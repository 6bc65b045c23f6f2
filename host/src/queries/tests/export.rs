//! All rows of a query as files of columns: at one position, in bounded memory, and whole or broken.

use futures_util::TryStreamExt as _;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use super::{export_cells::contents, *};
use crate::{
    builds::tests::{rows, step},
    read_model::{
        ColumnType, Value,
        columnar::{BATCH_BYTES, Format, ROW_GROUP_BYTES},
        samples,
    },
};

const FORMATS: [Format; 2] = [Format::Parquet, Format::ArrowStream];

impl Reader {
    async fn export(&self, builds: &TestBuilds, query: &str, format: Format) -> Result<Export, ReadError> {
        self.queries.export(self.request(builds, query), format).await
    }

    /// The whole file.
    async fn file(&self, builds: &TestBuilds, query: &str, format: Format) -> Vec<u8> {
        let export = self.export(builds, query, format).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        export.body.try_collect::<Vec<_>>().await.unwrap().concat()
    }
}

/// A build that is read, at position 1, with these rows.
async fn reading(columns: Vec<(String, ColumnType)>, cells: impl IntoIterator<Item = Vec<Value>>) -> TestBuilds {
    let builds = TestBuilds::create().await;
    let nullable = columns.iter().map(|(name, column_type)| samples::nullable(name, *column_type));
    let columns = std::iter::once(samples::column("id", ColumnType::I64)).chain(nullable);
    let declaration = samples::declaration("sums", columns, &["id"]);
    let (build, tables) = builds.build_of(1, None, declaration).await;
    builds.live(build).await;
    let lease = builds.lease(build).await;
    let cells = cells.into_iter().enumerate().map(|(id, cells)| {
        let id = Value::I64(i64::try_from(id).unwrap());
        std::iter::once(id).chain(cells).collect()
    });
    builds.commit(lease, &tables, step(0, 1), rows(&tables, cells)).await.unwrap();
    builds.activate(build, &tables).await;
    builds
}

/// A build with so many rows of a text of 10,000 letters each, which hardly become fewer by compression.
async fn large(rows: usize) -> TestBuilds {
    let builds = reading(vec![("t".to_owned(), ColumnType::Text)], []).await;
    let statement = format!(
        "INSERT INTO {} SELECT id, (SELECT string_agg(md5(id::text || ' ' || part), '') FROM generate_series(1, 313) AS part)
         FROM generate_series(1, {rows}) AS id",
        table(&builds).await
    );
    sqlx::raw_sql(&statement).execute(&builds.pool).await.unwrap();
    builds
}

/// What the sessions of exports wait for.
async fn sessions(builds: &TestBuilds) -> Vec<Option<String>> {
    sqlx::query_scalar(
        "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '/* gnomon exports */%'
         AND state = 'active'",
    )
    .fetch_all(&builds.pool)
    .await
    .unwrap()
}

/// Random rows of all types, among them the smallest and the largest values and nulls, in both formats.
#[tokio::test(flavor = "multi_thread")]
async fn cells_of_each_type_are_those_of_json() {
    let columns: Vec<_> = ColumnType::ALL.iter().enumerate().map(|(at, it)| (format!("c{at}"), *it)).collect();
    let mut runner = TestRunner::deterministic();
    let mut cell = |column_type: ColumnType| samples::value(column_type).new_tree(&mut runner).unwrap().current();
    let mut random = (0..300).map(|row| {
        let nulls = ColumnType::ALL.iter().map(|_| Value::Null);
        if row == 0 { nulls.collect() } else { ColumnType::ALL.iter().map(|its| cell(*its)).collect::<Vec<_>>() }
    });
    let builds = reading(columns, random.by_ref().collect::<Vec<_>>()).await;
    let reader = Reader::on(&builds).await;
    let json = reader.read(&builds, "order=id").await.text;
    for format in FORMATS {
        let found = contents(format, reader.file(&builds, "order=id", format).await);
        found.equal(&json);
        let pairs = [("build", "1"), ("position", "1"), ("projection", "totals"), ("table", "sums"), ("version", "1")];
        let pairs = pairs.map(|(key, value)| (format!("gnomon.{key}"), value.to_owned()));
        assert_eq!(found.metadata, pairs);
        let declared =
            ColumnType::ALL.iter().map(|its| if *its == ColumnType::CiText { ColumnType::Text } else { *its });
        let declared: Vec<_> = std::iter::once(ColumnType::I64).chain(declared).map(|its| its.to_string()).collect();
        assert_eq!(found.declared, declared);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_answered_in_columns_as_in_json() {
    let columns =
        [("n", ColumnType::I64), ("f", ColumnType::F64), ("d", ColumnType::Decimal), ("doc", ColumnType::Json)];
    let columns = columns.map(|(name, its)| (name.to_owned(), its)).to_vec();
    let doc = r#"{"a":{"b":1.50},"day":"2013-01-02","time":"2013-01-02T03:04:05Z"}"#;
    let rows = (0..20).map(|n| {
        vec![
            Value::I64(n),
            Value::F64(crate::read_model::Float::new(n as f64 / 4.0)),
            Value::Decimal(crate::read_model::Decimal::parse(&format!("{n}.5")).unwrap()),
            if n % 3 == 0 { Value::Null } else { Value::Json(crate::read_model::CanonicalJson::parse(doc).unwrap()) },
        ]
    });
    let builds = reading(columns, rows).await;
    let reader = Reader::on(&builds).await;
    for query in [
        "n=gt.5&order=n.desc",
        "n=gt.100",
        "select=number:n,id&order=f.desc&limit=3&offset=2",
        "select=doc->a->b,text:doc->a->>b,day:doc->>day::date,at:doc->>time::timestamptz,id&order=id",
        "select=n::int,small:n::smallint,r:f::real,t:n::text,c:n::varchar,d&order=id",
        "select=count()",
        "select=n.sum(),n.avg(),top:n.max(),t:f.sum()::text&n=lt.0",
        "select=s:n.sum(),i:n.sum()::bigint,f:f.sum(),a:f.avg(),d:d.sum(),m:d.max(),c:n.count()",
        "select=doc,n.count()&order=doc",
    ] {
        // Casts to times may depend on the clock, so this answer may have no tag.
        let json = reader.queries.read(reader.request(&builds, query)).await.unwrap().body.text();
        for format in FORMATS {
            contents(format, reader.file(&builds, query, format).await).equal(&json);
        }
    }
    // Rows without an order may have any; instants are in UTC whatever the zone.
    let request = ReadRequest {
        zone: Some("Asia/Tokyo"),
        ..reader.request(&builds, "select=at:doc->>time::timestamptz&id=eq.1")
    };
    let export = reader.queries.export(request, Format::ArrowStream).await.unwrap();
    let file = export.body.try_collect::<Vec<_>>().await.unwrap().concat();
    contents(Format::ArrowStream, file).equal(r#"[{"at":"2013-01-02T03:04:05Z"}]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_infinite_is_the_largest_number_or_the_smallest() {
    use arrow_array::{
        cast::AsArray as _,
        types::{Date32Type, TimestampMicrosecondType},
    };

    let doc = r#"{"late":"infinity","early":"-infinity"}"#;
    let doc = Value::Json(crate::read_model::CanonicalJson::parse(doc).unwrap());
    let builds = reading(vec![("doc".to_owned(), ColumnType::Json)], [vec![doc]]).await;
    let reader = Reader::on(&builds).await;
    let query = "select=a:doc->>late::timestamptz,b:doc->>early::timestamptz,c:doc->>late::date,d:doc->>early::date";
    for format in FORMATS {
        let found = contents(format, reader.file(&builds, query, format).await);
        let column = |index: usize| found.batches[0].column(index);
        let instant = |index| column(index).as_primitive::<TimestampMicrosecondType>().value(0);
        let day = |index| column(index).as_primitive::<Date32Type>().value(0);
        assert_eq!((instant(0), instant(1), day(2), day(3)), (i64::MAX, -i64::MAX, i32::MAX, -i32::MAX));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_columns_and_what_postgres_refuses_is_an_error_before_the_first_byte() {
    let columns = vec![("n".to_owned(), ColumnType::I64), ("tags".to_owned(), ColumnType::TextArray)];
    let builds = reading(columns, [vec![Value::I64(7), Value::TextArray(vec!["x".to_owned()])]]).await;
    let reader = Reader::on(&builds).await;
    for (query, code, details) in [
        ("select=id,id", "PGRST127", "Two columns are named \"id\"."),
        ("select=id,n:id,n", "PGRST127", "Two columns are named \"n\"."),
        ("select=tags::text[]", "PGRST127", "\"tags\" is cast to an array, which may have several dimensions."),
        (
            "cursor=",
            "PGRST100",
            "Only answers in JSON and CSV are read by pages; read all rows at once, or use limit and offset.",
        ),
        ("select=tags::int", "42846", ""),
        ("select=tags->>0::int", "22P02", ""),
        ("n=eq.x", "22P02", ""),
    ] {
        match reader.export(&builds, query, Format::Parquet).await {
            Err(ReadError::Query(error)) => {
                assert_eq!(
                    (error.code.as_str(), error.details.unwrap_or_default().as_str()),
                    (code, details),
                    "{query}"
                );
            }
            other => panic!("{query}: {other:?}"),
        }
    }
    // Postgres notices that a connection is closed a little later.
    test_support::until("no session is left", async || sessions(&builds).await.is_empty()).await;
}

/// 40 MB, of which no more than some batches are ever in memory: the client reads nothing, and Postgres has to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_lets_postgres_wait_and_pieces_are_small() {
    const ROWS: usize = 4000;
    let builds = large(ROWS).await;
    let reader = Reader::on(&builds).await;
    for (format, most, pieces) in [(Format::ArrowStream, BATCH_BYTES, 30), (Format::Parquet, ROW_GROUP_BYTES, 2)] {
        let export = reader.export(&builds, "", format).await.unwrap();
        if format == Format::ArrowStream {
            test_support::until("Postgres waits", async || sessions(&builds).await == [Some("ClientWrite".to_owned())])
                .await;
        }
        let found: Vec<_> = export.body.try_collect().await.unwrap();
        // A row more than a batch has, and what stands around it.
        let largest = found.iter().map(bytes::Bytes::len).max().unwrap();
        assert!(largest <= most + most / 4, "{format:?}: a piece of {largest} bytes");
        assert!(found.len() >= pieces, "{format:?}: {} pieces", found.len());
        assert_eq!(contents(format, found.concat()).rows(), ROWS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_of_the_position_that_the_file_names() {
    let builds = large(4000).await;
    let reader = Reader::on(&builds).await;
    let export = reader.export(&builds, "select=id", Format::ArrowStream).await.unwrap();
    let slow = reader.export(&builds, "", Format::ArrowStream).await.unwrap();
    test_support::until("rows are left in Postgres", async || {
        sessions(&builds).await.contains(&Some("ClientWrite".to_owned()))
    })
    .await;
    sqlx::raw_sql(&format!(
        "DELETE FROM {0} WHERE id > 1000; INSERT INTO {0} SELECT 10000 + id, 'late' FROM generate_series(1, 10) AS id;
         UPDATE gnomon.subscriptions SET checkpoint = 2",
        table(&builds).await
    ))
    .execute(&builds.pool)
    .await
    .unwrap();
    for export in [export, slow] {
        assert_eq!(export.position, Position(1));
        let found = contents(Format::ArrowStream, export.body.try_collect::<Vec<_>>().await.unwrap().concat());
        assert_eq!(found.rows(), 4000);
        assert!(found.metadata.contains(&("gnomon.position".to_owned(), "1".to_owned())), "{:?}", found.metadata);
    }
    let now = reader.export(&builds, "", Format::ArrowStream).await.unwrap();
    assert_eq!(now.position, Position(2));
    assert_eq!(contents(Format::ArrowStream, now.body.try_collect::<Vec<_>>().await.unwrap().concat()).rows(), 1010);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_ends_the_statement_in_postgres() {
    let builds = large(4000).await;
    let reader = Reader::on(&builds).await;
    let export = reader.export(&builds, "", Format::ArrowStream).await.unwrap();
    assert_eq!(sessions(&builds).await.len(), 1);
    drop(export);
    test_support::until("the session has ended", async || sessions(&builds).await.is_empty()).await;
}

/// What is read of a body before it breaks, and why it does.
async fn broken(mut export: Export) -> (usize, ReadError) {
    let mut bytes = 0;
    loop {
        match export.body.try_next().await {
            Ok(Some(piece)) => bytes += piece.len(),
            Ok(None) => panic!("the body ends after {bytes} bytes as if it were whole"),
            Err(error) => {
                // Nothing follows an error.
                assert!(export.body.try_next().await.unwrap().is_none());
                return (bytes, error);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_is_an_error_and_no_end() {
    // More than two row groups and what the sockets hold.
    let builds = large(8000).await;
    let mut reader = Reader::on(&builds).await;
    for format in FORMATS {
        let export = reader.export(&builds, "", format).await.unwrap();
        sqlx::raw_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
             AND query LIKE '/* gnomon exports */%' AND state = 'active'",
        )
        .execute(&builds.pool)
        .await
        .unwrap();
        let (bytes, error) = broken(export).await;
        assert!(bytes > 0 && matches!(error, ReadError::Postgres(_)), "{bytes} bytes, then {error}");
    }
    reader.limits.export_timeout = Duration::from_millis(1500);
    let export = reader.export(&builds, "", Format::ArrowStream).await.unwrap();
    // Nobody reads, so it cannot end before its time is over, and then its session is closed.
    test_support::until("its time is over", async || sessions(&builds).await.is_empty()).await;
    let (_, error) = broken(export).await;
    assert!(matches!(error, ReadError::ExportTimedOut(_)), "{error}");
    assert!(error.to_string().starts_with("the export took longer than 1.5 s (export_timeout)"), "{error}");
}
