//! Links between the pages, and into the code.

use std::{collections::BTreeSet, path::Path};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{pages, repository};

/// The links of a page, and the anchors of its headings.
pub(crate) fn links_and_anchors(page: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(|text| anchor(&text))),
            Event::Text(text) | Event::Code(text) => heading.iter_mut().for_each(|heading| heading.push_str(&text)),
            Event::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.to_string()),
            _ => {}
        }
    }
    (links, anchors)
}

/// The anchor that code hosts give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|of| of.is_alphanumeric() || matches!(of, ' ' | '-' | '_'));
    kept.map(|of| if of == ' ' { '-' } else { of }).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut found = Vec::new();
    for page in pages::all() {
        let folder = repository().join(&page).parent().unwrap().to_owned();
        for link in links_and_anchors(&pages::read(&page)).0 {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').map_or((link.as_str(), None), |(path, of)| (path, Some(of)));
            let target = if path.is_empty() { repository().join(&page) } else { folder.join(path) };
            if !leads(&target, heading) {
                found.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(found.is_empty(), "these lead nowhere:\n{}", found.join("\n"));
}

fn leads(target: &Path, heading: Option<&str>) -> bool {
    match heading {
        None => target.exists(),
        Some(heading) => std::fs::read_to_string(target).is_ok_and(|page| links_and_anchors(&page).1.contains(heading)),
    }
}

#[test]
fn anchors_are_those_of_code_hosts() {
    let (links, anchors) = links_and_anchors("# The `HTTP` API, v1\n\n## a_b - c\n\n[x](y.md#z)\n");
    assert_eq!(anchors.into_iter().collect::<Vec<_>>(), ["a_b---c", "the-http-api-v1"]);
    assert_eq!(links, ["y.md#z"]);
}
