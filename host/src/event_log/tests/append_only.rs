use super::*;

#[tokio::test]
async fn postgres_refuses_changes_of_events() {
    let test = TestLog::open().await;
    test.append("a-1", &["Opened"]).await;
    for table in ["gnomon.events", "gnomon.events_000000000001"] {
        for (operation, statement) in [
            ("UPDATE", format!("UPDATE {table} SET type = 'Else'")),
            ("DELETE", format!("DELETE FROM {table}")),
            ("TRUNCATE", format!("TRUNCATE {table}")),
        ] {
            let error = sqlx::query(&statement).execute(&test.pool).await.unwrap_err().to_string();
            assert!(error.contains("the event log is append-only"), "{statement}: {error}");
            assert!(error.contains(operation), "{statement}: {error}");
        }
    }
    assert_eq!(test.all().await, [("a-1".to_owned(), 1, "Opened".to_owned())]);
}
