//! Which streams may have made the row of a key: those that the values of the key name.

use std::collections::HashSet;

use crate::{
    event_log::{NameFilter, StreamName},
    read_model::{Key, key_text},
};

/// Names of streams that are looked for. A projection without categories may read streams of many.
const MAX_NAMES: usize = 1_000;

/// The names of streams that the values of keys name: `<category>-<value>` for each of the categories, and the value itself, where it is the name of
/// a stream that is read. Each once; `None` if they are too many.
pub(super) fn candidates(keys: &[Key], categories: &[String], read: &NameFilter) -> Option<Vec<StreamName>> {
    let (mut names, mut known) = (Vec::new(), HashSet::new());
    for text in keys.iter().flatten().filter_map(key_text) {
        let of_categories = categories.iter().map(|category| format!("{category}-{text}"));
        for name in of_categories.chain([text.clone()]) {
            // What is no name is no stream's.
            let Ok(name) = StreamName::new(name) else { continue };
            if read.admits(name.category()) && known.insert(name.clone()) {
                names.push(name);
            }
        }
        if names.len() > MAX_NAMES {
            return None;
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::Value;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn values_name_streams_of_the_categories_that_are_read() {
        let named = |keys: &[Key], categories: &[&str], read: NameFilter| {
            let categories: Vec<String> = categories.iter().map(|&category| category.to_owned()).collect();
            let names = candidates(keys, &categories, &read).unwrap();
            names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        let account = || NameFilter::only(["account"; 1]);
        assert_eq!(named(&[vec![text("7")]], &["account"], account()), ["account-7"]);
        assert_eq!(named(&[vec![text("account-7")]], &["account"], account()), ["account-account-7", "account-7"]);
        // Each column of a key may name the stream, and keys may share it.
        let keys = [vec![text("a"), Value::I64(1)], vec![text("a"), Value::I64(-2)]];
        assert_eq!(named(&keys, &["b"], NameFilter::only(["b"; 1])), ["b-a", "b-1", "b--2"]);
        // Without categories, the streams of those that the log has, and names without a dash.
        assert_eq!(named(&[vec![text("7")]], &["", "a", "b"], NameFilter::All), ["-7", "a-7", "b-7", "7"]);
        assert_eq!(named(&[vec![text("\u{7}")], vec![text("")]], &["a"], account()), [] as [&str; 0]);
    }

    #[test]
    fn too_many_names_are_none() {
        let categories: Vec<String> = (0..=MAX_NAMES).map(|number| number.to_string()).collect();
        assert_eq!(candidates(&[vec![text("x")]], &categories, &NameFilter::All), None);
        assert!(candidates(&[vec![text("x")]], &categories[..MAX_NAMES - 1], &NameFilter::All).is_some());
    }
}
