//! A read model for tests of its readers.

use super::*;
use crate::{
    builds::{
        BuildId, Work,
        tests::{TestBuilds, rows, step},
    },
    read_model::{ColumnType, TableSet, Value as Cell, samples},
    subscriptions::Lease,
};

/// Rows of so many numbers.
pub(super) const MANY: i64 = 15;

/// A read model `totals`, on which no host works. Its table `sums` has the columns `id`, `t`, `b`, `at` and `doc`; all but the first may be null.
pub(super) struct ReadModel {
    pub(super) builds: TestBuilds,
    pub(super) build: BuildId,
    pub(super) tables: TableSet,
    pub(super) lease: Lease,
}

/// A row with these cells, of which `at` is an hour after the beginning of 2013 for each `id`.
pub(super) fn row(id: i64, text: Option<&str>) -> Vec<Cell> {
    let at = gnomon_values::Instant::parse("2013-01-01T00:00:00Z").unwrap().0 + id * 3_600_000_000;
    let doc = crate::read_model::CanonicalJson::parse(r#"{"a":null,"b":[1,"x"]}"#).unwrap();
    vec![
        Cell::I64(id),
        text.map_or(Cell::Null, |text| Cell::Text(text.to_owned())),
        if id % 2 == 0 { Cell::Bool(true) } else { Cell::Null },
        Cell::Timestamp(gnomon_values::Instant(at)),
        if id == 2 { Cell::Json(doc) } else { Cell::Null },
    ]
}

impl ReadModel {
    /// One with these rows, at position 1.
    pub(super) async fn of(found: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        let builds = TestBuilds::create().await;
        let (build, tables) = Self::next(&builds, 1).await;
        builds.live(build).await;
        let lease = builds.lease(build).await;
        builds.commit(lease, &tables, step(0, 1), rows(&tables, found)).await.unwrap();
        builds.activate(build, &tables).await;
        builds.set(build, |kept| kept.work = Work::Paused).await;
        Self { builds, build, tables, lease }
    }

    /// One with rows 1 to [`MANY`], whose texts are numbers.
    pub(super) async fn of_many() -> Self {
        Self::of((1..=MANY).map(|id| row(id, Some(&id.to_string())))).await
    }

    /// Another build of the projection.
    pub(super) async fn next(builds: &TestBuilds, version: u32) -> (BuildId, TableSet) {
        let columns = [
            samples::column("id", ColumnType::I64),
            samples::nullable("t", ColumnType::Text),
            samples::nullable("b", ColumnType::Bool),
            samples::nullable("at", ColumnType::Timestamp),
            samples::nullable("doc", ColumnType::Json),
        ];
        builds.build_of(version, None, samples::declaration("sums", columns, &["id"])).await
    }

    /// A host on it.
    pub(super) async fn api(&self, settings: HttpSettings) -> TestApi {
        TestApi::of(TestHost::start(&self.builds.database).await, settings)
    }
}

impl TestApi {
    /// Sends a request for rows with headers.
    pub(super) async fn rows(&self, method: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/v1/read-models/totals/sums?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}
