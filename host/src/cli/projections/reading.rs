//! What a projection reads of the log, as text.

use std::fmt::Write as _;

use crate::{
    api::{IgnoredType, Reading},
    cli::{figures, output},
};

/// The types that a build reads, and those that it passes over.
pub(super) fn describe(reading: &Reading, label: &str) -> String {
    let categories = match reading.categories.as_slice() {
        [] => "all streams".to_owned(),
        categories => format!("streams of {}", categories.join(", ")),
    };
    let types = if reading.all_types { "events of every type" } else { "these types of events" };
    let tags = match reading.tags.as_slice() {
        [] => String::new(),
        [tag] => format!(", with the tag `{tag}`"),
        tags => format!(", with one of the tags `{}`", tags.join("`, `")),
    };
    let mut text = format!("{label} reads {types} from {categories}{tags}:\n");
    let mut table = output::table(&["TYPE", "#HANDLED"]);
    for known in &reading.types {
        table.add_row([known.event_type.clone(), figures::count(known.handled).to_string()]);
    }
    text += &table.trim_fmt();
    for ignored in &reading.ignored {
        let IgnoredType { event_type, category, .. } = ignored;
        let _ = write!(text, "\nit passes over {event_type} of category `{category}`{}", hint(ignored));
    }
    if reading.more_ignored > 0 {
        let _ = write!(text, "\nand {} more", figures::count(reading.more_ignored));
    }
    text
}

/// What was perhaps meant.
fn hint(ignored: &IgnoredType) -> String {
    match (&ignored.type_meant, &ignored.category_meant) {
        (Some(meant), _) => format!(": did you mean `{meant}`?"),
        (None, Some(meant)) => format!(": did you mean a stream `{meant}-…`?"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_named_as_they_select() {
        let reads = |tags: &[&str]| {
            let reading = serde_json::json!({"build": 1, "all_types": true, "log_types": [], "types": [], "categories": [],
                "tags": tags, "ignored": [], "more_ignored": 0});
            describe(&serde_json::from_value(reading).unwrap(), "build 1").lines().next().unwrap().to_owned()
        };
        assert_eq!(reads(&[]), "build 1 reads events of every type from all streams:");
        assert_eq!(reads(&["a:1"]), "build 1 reads events of every type from all streams, with the tag `a:1`:");
        assert!(reads(&["a:1", "b"]).ends_with("from all streams, with one of the tags `a:1`, `b`:"));
    }

    #[test]
    fn types_are_shown_with_their_events_and_near_misses_with_what_was_meant() {
        let reading: Reading = serde_json::from_str(
            r#"{"build":4,"all_types":false,"log_types":["OrderPaid","OrderPlaced"],"categories":["order"],"more_ignored":1200,
                "types":[{"type":"OrderPaid","handled":0},{"type":"OrderPlaced","handled":18262}],
                "ignored":[{"type":"OrderPlacd","category":"order","type_meant":"OrderPlaced"},
                    {"type":"OrderPlaced","category":"oder","category_meant":"order"},{"type":"Shipped","category":"order"}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(describe(&reading, "build 4 (version 1)"), @r"
        build 4 (version 1) reads these types of events from streams of order:
        TYPE         HANDLED
        OrderPaid          0
        OrderPlaced   18,262
        it passes over OrderPlacd of category `order`: did you mean `OrderPlaced`?
        it passes over OrderPlaced of category `oder`: did you mean a stream `order-…`?
        it passes over Shipped of category `order`
        and 1,200 more
        ");
    }
}
