//! What a filter demands, in SQL: each condition begins with ` AND `.

use crate::event_log::{
    event_query::{EventQuery, QueryItem},
    filter::{Filter, NameFilter},
    name::{EventType, Tag},
};

/// So many categories are compared one by one.
const FEW_CATEGORIES: usize = 8;

/// The conditions, and the lists of texts to be bound as their parameters: those from `$first` on.
pub(super) fn with_parameters(filter: &Filter, first: usize) -> (String, Vec<Vec<&str>>) {
    let mut lists = Vec::new();
    let conditions = conditions(filter, |texts| {
        lists.push(texts);
        format!("${}", first + lists.len() - 1)
    });
    (conditions, lists)
}

/// The conditions, for statements that take no parameters.
pub(super) fn with_literals(filter: &Filter) -> String {
    // An escape string, which does not depend on `standard_conforming_strings`.
    let literal = |text: &str| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    conditions(filter, |texts| {
        format!("ARRAY[{}]::text[]", texts.into_iter().map(literal).collect::<Vec<_>>().join(", "))
    })
}

fn conditions<'f>(filter: &'f Filter, mut list: impl FnMut(Vec<&'f str>) -> String) -> String {
    let mut conditions = String::new();
    if let NameFilter::Only(types) = &filter.types {
        let types = list(types.iter().map(String::as_str).collect());
        conditions.push_str(&format!(" AND type = ANY ({types})"));
    }
    if let NameFilter::Only(categories) = &filter.categories {
        let is_few = (1..=FEW_CATEGORIES).contains(&categories.len());
        let names = list(categories.iter().map(String::as_str).collect());
        conditions.push_str(&if is_few {
            let any: Vec<String> =
                (1..=categories.len()).map(|number| is_of_category(&format!("({names})[{number}]"))).collect();
            format!(" AND ({})", any.join(" OR "))
        } else {
            format!(" AND split_part(stream, '-', 1) = ANY ({names})")
        });
    }
    if let Some(EventQuery { items }) = &filter.query {
        let items: Vec<String> = items.iter().map(|one| item(one, &mut list)).collect();
        // No item, no event.
        let any = if items.is_empty() { "false".to_owned() } else { items.join(" OR ") };
        conditions.push_str(&format!(" AND ({any})"));
    }
    conditions
}

/// Whether a stream is of a category, by comparing its name: to cut the category out of it costs as much as all else of reading an event. Names
/// are compared by bytes, so those that begin with `c-` are between `c-` and `c.`. A CASE, since the index on streams must not be used: an
/// ordinary condition would make Postgres read a whole category for each page.
fn is_of_category(category: &str) -> String {
    format!("CASE WHEN stream >= {category} || '-' THEN stream < {category} || '.' ELSE stream = {category} END")
}

fn item<'f>(QueryItem { types, tags }: &'f QueryItem, list: &mut impl FnMut(Vec<&'f str>) -> String) -> String {
    let mut conditions = Vec::new();
    if !types.is_empty() {
        conditions.push(format!("type = ANY ({})", list(types.iter().map(EventType::as_str).collect())));
    }
    if !tags.is_empty() {
        conditions.push(format!("tags @> {}", list(tags.iter().map(Tag::as_str).collect())));
    }
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::tests::{TestLog, event, stream};

    fn filter() -> Filter {
        let types = vec![EventType::new("A").unwrap()];
        let tags = vec![Tag::new("it's").unwrap(), Tag::new(r"a\b").unwrap()];
        let items =
            vec![QueryItem { types, tags: tags.clone() }, QueryItem { types: Vec::new(), tags }, QueryItem::default()];
        Filter {
            types: NameFilter::only(["A", "B"]),
            categories: NameFilter::only(["c"; 1]),
            query: Some(EventQuery { items }),
        }
    }

    #[test]
    fn conditions_have_their_texts_as_parameters_or_as_literals() {
        let filter = filter();
        let (conditions, lists) = with_parameters(&filter, 4);
        assert_eq!(
            conditions,
            " AND type = ANY ($4) \
             AND (CASE WHEN stream >= ($5)[1] || '-' THEN stream < ($5)[1] || '.' ELSE stream = ($5)[1] END) \
             AND (type = ANY ($6) AND tags @> $7 OR tags @> $8 OR true)"
        );
        let tags = ["it's", r"a\b"];
        assert_eq!(lists, [&["A", "B"][..], &["c"], &["A"], &tags, &tags]);
        let literals = with_literals(&filter);
        assert!(literals.ends_with(r"OR tags @> ARRAY[E'it''s', E'a\\b']::text[] OR true)"), "{literals}");
    }

    /// What Postgres lets through is what the host lets through, whether categories are compared one by one or cut out of the names.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_is_of_the_category_before_its_first_hyphen() {
        let test = TestLog::open().await;
        let names =
            ["a", "a-", "a-1", "a-b-1", "a.b", "a.b-1", "a,-1", "a0-1", "A-1", "ab", "ab-1", "-x", "é-1", "é.-1", "z"];
        let lines = names.iter().map(|name| (stream(name), event("E")));
        test.log.import(lines.collect(), 1).await.unwrap();
        let categories = ["a", "a.b", "a,", "a0", "A", "ab", "é", "é.", "z", "none"];
        let more = (0..FEW_CATEGORIES).map(|number| format!("more{number}"));
        let lists = (0..categories.len()).map(|at| vec![categories[at], categories[(3 * at + 1) % categories.len()]]);
        for few in lists.chain([vec![], vec![""], vec!["a"], categories.to_vec()]) {
            let many: Vec<String> = few.iter().map(|&name| name.to_owned()).chain(more.clone()).collect();
            for categories in [few.iter().map(|&name| name.to_owned()).collect(), many] {
                let filter = Filter { categories: NameFilter::only(categories), ..Filter::default() };
                let wanted: Vec<&str> =
                    names.iter().copied().filter(|name| filter.categories.admits(stream(name).category())).collect();
                let (conditions, lists) = with_parameters(&filter, 1);
                let text = |conditions: &str| {
                    format!("SELECT stream FROM gnomon.events WHERE true{conditions} ORDER BY position")
                };
                let (bound, literal) = (text(&conditions), text(&with_literals(&filter)));
                let query = lists.into_iter().fold(sqlx::query_scalar(&bound), |query, list| query.bind(list));
                assert_eq!(query.fetch_all(&test.pool).await.unwrap() as Vec<String>, wanted, "{filter:?}");
                let found: Vec<String> = sqlx::query_scalar(&literal).fetch_all(&test.pool).await.unwrap();
                assert_eq!(found, wanted, "{filter:?}");
            }
        }
    }

    #[test]
    fn nothing_is_demanded_by_a_filter_of_all_and_nothing_matches_a_query_without_items() {
        assert_eq!(with_parameters(&Filter::default(), 1), (String::new(), Vec::new()));
        let nothing = Filter { query: Some(EventQuery { items: Vec::new() }), ..Filter::default() };
        assert_eq!(with_literals(&nothing), " AND (false)");
    }
}
