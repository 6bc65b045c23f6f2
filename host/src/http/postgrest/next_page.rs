//! The headers of an answer that tell where the next page begins: `Gnomon-Next` and `Link`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{http::forwarded_prefix::ForwardedPrefix, read_model::Identifier};

/// Header of answers: the cursor of the next page.
const NEXT: HeaderName = HeaderName::from_static("gnomon-next");
/// The bytes of the longest link that is sent: what reads the headers of answers often has room for 8 KiB of all of them. The cursor is sent all the
/// same.
const MAX_LINK_BYTES: usize = 6_000;

/// What would end the link or the header, where a client has not escaped it; and all that is not ASCII.
const ENDS: AsciiSet = CONTROLS.add(b'<').add(b'>').add(b'"').add(b' ');

/// Adds the headers, if there is a next page. The link is the same URL with the cursor of that.
pub(super) fn add(headers: &mut HeaderMap, projection: &Identifier, table: &str, query: &str, next: Option<&str>) {
    let Some(next) = next else { return };
    if let Ok(cursor) = HeaderValue::from_str(next) {
        headers.insert(NEXT, cursor);
    }
    if let Some(link) = link(projection, table, query, next) {
        headers.insert(header::LINK, link);
    }
}

fn link(projection: &Identifier, table: &str, query: &str, next: &str) -> Option<HeaderValue> {
    let path = ForwardedPrefix::current().path(&format!("/v1/read-models/{projection}/{table}"));
    let kept = query.split('&').filter(|parameter| !parameter.is_empty() && !is_cursor(parameter));
    let parameters: String = kept.map(|parameter| format!("{parameter}&")).collect();
    let parameters = utf8_percent_encode(&parameters, &ENDS);
    let link = format!("<{path}?{parameters}cursor={next}>; rel=\"next\"");
    (link.len() <= MAX_LINK_BYTES).then(|| HeaderValue::from_str(&link).ok()).flatten()
}

/// A parameter of this name with a point is a filter on a column that is called so.
fn is_cursor(parameter: &str) -> bool {
    parameter.strip_prefix("cursor=").is_some_and(|value| !value.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(query: &str, next: Option<&str>) -> [Option<String>; 2] {
        let mut headers = HeaderMap::new();
        add(&mut headers, &Identifier::new("bank").unwrap(), "accounts", query, next);
        ["gnomon-next", "link"].map(|name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn the_link_is_the_same_url_with_another_cursor() {
        assert_eq!(added("limit=2", None), [None, None]);
        for (query, expected) in [
            ("", "?cursor=eyJ2"),
            ("limit=2&order=b.desc", "?limit=2&order=b.desc&cursor=eyJ2"),
            ("cursor=abc&limit=2", "?limit=2&cursor=eyJ2"),
            ("limit=2&cursor=&&owner=eq.a%26b", "?limit=2&owner=eq.a%26b&cursor=eyJ2"),
            // A filter on a column that is called so.
            ("cursor=eq.7&cursor=abc", "?cursor=eq.7&cursor=eyJ2"),
            ("owner=eq.é", "?owner=eq.%C3%A9&cursor=eyJ2"),
            ("doc->>a=eq.\"x\"&or=(a.lt.<1>)", "?doc-%3E%3Ea=eq.%22x%22&or=(a.lt.%3C1%3E)&cursor=eyJ2"),
        ] {
            let link = format!("</v1/read-models/bank/accounts{expected}>; rel=\"next\"");
            assert_eq!(added(query, Some("eyJ2")), [Some("eyJ2".to_owned()), Some(link)], "{query}");
        }
    }

    #[test]
    fn a_long_link_is_left_out_and_the_cursor_is_not() {
        let long = format!("owner=eq.{}", "x".repeat(MAX_LINK_BYTES));
        assert_eq!(added(&long, Some("eyJ2")), [Some("eyJ2".to_owned()), None]);
    }
}
