//! Queries to a host that remembers a build that is no longer active.

use serde_json::json;

use super::*;
use crate::queries::{ReadError, ReadLimits, ReadRequest};

async fn read(host: &TestHost, table: &str, query: &str) -> Result<String, ReadError> {
    let projection = &Identifier::new("tally").unwrap();
    let limits = ReadLimits { max_rows: 10, ..ReadLimits::default() };
    host.queries.read(ReadRequest::new(projection, table, query, &limits)).await.map(|answer| answer.body.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_build_that_is_active_now_refuses_a_query() {
    let database = TestDatabase::create().await;
    let hosts = [TestHost::start(&database).await, TestHost::start(&database).await];
    let name = Identifier::new("tally").unwrap();
    hosts[0].append([("count-1".to_owned(), "Counted", json!({"n": 5}))]).await;
    let old = hosts[0].deploy(&name, test_support::guest("tally"), Activation::Auto).await.number;
    hosts[0].caught_up(&name).await;
    let new = hosts[0].deploy(&name, test_support::guest("tally_wide"), Activation::Manual).await.number;
    hosts[0].caught_up(&name).await;
    for _ in 0..2 {
        for host in &hosts {
            assert_eq!(read(host, "tallies", "select=sum").await.unwrap(), r#"[{"sum":5}]"#);
            assert!(matches!(read(host, "tallies", "select=total").await, Err(ReadError::Query(_))));
            assert!(matches!(read(host, "extras", "").await, Err(ReadError::NoTable { .. })));
        }
        hosts[0].operations.activate(&name, Some(new), Duration::ZERO).await.unwrap();
        for host in &hosts {
            // The remembered build has neither the new column, nor the new table, nor the new type of a column.
            assert_eq!(read(host, "tallies", "select=total").await.unwrap(), r#"[{"total":5}]"#);
        }
        hosts[1].operations.activate(&name, Some(old), Duration::ZERO).await.unwrap();
        assert_eq!(read(&hosts[0], "tallies", "select=last_version").await.unwrap(), r#"[{"last_version":1}]"#);
        hosts[1].operations.activate(&name, Some(new), Duration::ZERO).await.unwrap();
        assert_eq!(read(&hosts[0], "extras", "").await.unwrap(), r#"[{"stream":"1","newest":5}]"#);
        assert_eq!(read(&hosts[1], "tallies", "sum=eq.in all 5&select=sum").await.unwrap(), r#"[{"sum":"in all 5"}]"#);
        hosts[1].operations.rollback(&name, Duration::ZERO).await.unwrap();
    }
    for host in &hosts {
        host.projector.stop().await;
    }
}
