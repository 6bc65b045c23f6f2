//! What a filter demands, in SQL: each condition begins with ` AND `.

use crate::event_log::{
    event_query::{EventQuery, QueryItem},
    filter::{Filter, NameFilter},
    name::{EventType, Tag},
};

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
    for (column, names) in [("type", &filter.types), ("split_part(stream, '-', 1)", &filter.categories)] {
        if let NameFilter::Only(names) = names {
            let names = list(names.iter().map(String::as_str).collect());
            conditions.push_str(&format!(" AND {column} = ANY ({names})"));
        }
    }
    if let Some(EventQuery { items }) = &filter.query {
        let items: Vec<String> = items.iter().map(|one| item(one, &mut list)).collect();
        // No item, no event.
        let any = if items.is_empty() { "false".to_owned() } else { items.join(" OR ") };
        conditions.push_str(&format!(" AND ({any})"));
    }
    conditions
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
            " AND type = ANY ($4) AND split_part(stream, '-', 1) = ANY ($5) \
             AND (type = ANY ($6) AND tags @> $7 OR tags @> $8 OR true)"
        );
        let tags = ["it's", r"a\b"];
        assert_eq!(lists, [&["A", "B"][..], &["c"], &["A"], &tags, &tags]);
        let literals = with_literals(&filter);
        assert!(literals.ends_with(r"OR tags @> ARRAY[E'it''s', E'a\\b']::text[] OR true)"), "{literals}");
    }

    #[test]
    fn nothing_is_demanded_by_a_filter_of_all_and_nothing_matches_a_query_without_items() {
        assert_eq!(with_parameters(&Filter::default(), 1), (String::new(), Vec::new()));
        let nothing = Filter { query: Some(EventQuery { items: Vec::new() }), ..Filter::default() };
        assert_eq!(with_literals(&nothing), " AND (false)");
    }
}
