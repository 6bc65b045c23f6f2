use super::*;

/// The types of each category, as one text: `a A`.
async fn types(log: &EventLog, filter: &Filter) -> Vec<String> {
    let types = log.event_types(filter, 100).await.unwrap();
    types.into_iter().map(|found| format!("{} {}", found.category, found.event_type)).collect()
}

#[tokio::test]
async fn the_log_knows_the_types_of_each_category() {
    let test = TestLog::open().await;
    test.append("a-1", &["A", "B", "A"]).await;
    test.append("a-2", &["A"]).await;
    test.append("-x", &["A"]).await;
    let lines = (0..600).map(|number| (stream("b-1"), event(if number % 2 == 0 { "C" } else { "D" }))).collect();
    test.log.import(lines, 1).await.unwrap();
    // A host that has not seen the others.
    let other = test.other_host().await;
    append(&other, "a-3", ExpectedVersion::Any, vec![event("A"), event("E")]).await.unwrap();
    test.append("a-1", &["E"]).await;
    let all = [" A", "a A", "a B", "a E", "b C", "b D"];
    assert_eq!(types(&test.log, &Filter::default()).await, all);
    let some = Filter { types: NameFilter::only(["A"; 1]), categories: NameFilter::only(["b"; 1]), query: None };
    assert_eq!(types(&test.log, &some).await, [" A", "a A", "b C", "b D"], "of the category, or of the type");
    assert_eq!(test.log.event_types(&Filter::default(), 2).await.unwrap().len(), 2);
    for (types, limit, categories) in [
        (NameFilter::All, 9, &["", "a", "b"][..]),
        (NameFilter::All, 2, &["", "a"]),
        (NameFilter::only(["A", "D"]), 9, &["", "a", "b"]),
        (NameFilter::only(["E"; 1]), 9, &["a"]),
        (NameFilter::only(["X"; 1]), 9, &[]),
    ] {
        assert_eq!(test.log.categories_of(&types, limit).await.unwrap(), categories, "{types:?}");
    }
}

#[tokio::test]
async fn a_type_that_is_refused_or_taken_back_is_not_known() {
    let test = TestLog::open().await;
    let refused = append(&test.log, "a-1", ExpectedVersion::Exact(StreamVersion(3)), vec![event("A")]).await;
    assert!(refused.is_err());
    // Postgres refuses the transaction at its commit, so nothing may be remembered of it.
    let break_commits = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON gnomon.head DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse()";
    sqlx::raw_sql(break_commits).execute(&test.pool).await.unwrap();
    assert!(append(&test.log, "a-1", ExpectedVersion::Any, vec![event("A")]).await.is_err());
    assert!(types(&test.log, &Filter::default()).await.is_empty());
    sqlx::raw_sql("DROP TRIGGER refuse ON gnomon.head").execute(&test.pool).await.unwrap();
    test.append("a-1", &["A"]).await;
    assert_eq!(types(&test.log, &Filter::default()).await, ["a A"]);
}

/// A restored database can lack what this host has seen committed: a new connection begins without a memory.
#[tokio::test]
async fn after_a_lost_connection_types_are_written_again() {
    let test = TestLog::open().await;
    test.append("a-1", &["A"]).await;
    sqlx::query("DELETE FROM gnomon.event_types").execute(&test.pool).await.unwrap();
    test.append("a-1", &["A"]).await;
    assert!(types(&test.log, &Filter::default()).await.is_empty(), "the steady state writes nothing");
    outage::cut_connections(&test.pool).await;
    test.append("a-1", &["A"]).await;
    assert_eq!(types(&test.other_host().await, &Filter::default()).await, ["a A"]);
}
