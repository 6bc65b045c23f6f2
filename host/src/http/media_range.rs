//! The media ranges of the header `Accept`.

use axum::http::{HeaderMap, header};

/// One of the media ranges of the header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MediaRange<'a> {
    /// The media type and its parameters, without the quality.
    pub(super) text: &'a str,
    /// How much the client wants it, from 0, which is not at all, to 1.
    pub(super) quality: f32,
}

/// The media ranges of all headers `Accept` of a request, in their order.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<MediaRange<'_>> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|accept| parts(accept, ',')).map(MediaRange::parse).collect()
}

impl<'a> MediaRange<'a> {
    /// A media range from a text of its own, such as a parameter of another one.
    pub(super) fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let mut begin = 0;
        for part in parts(text, ';') {
            // What follows the quality are not parameters of the media type.
            if begin > 0
                && let Some((name, value)) = part.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
                && let Ok(quality) = value.trim().parse()
            {
                return Self { text: text[..begin - 1].trim_end(), quality };
            }
            begin += part.len() + 1;
        }
        Self { text, quality: 1.0 }
    }

    /// The media type in lower case.
    pub(super) fn media_type(&self) -> String {
        self.text.split(';').next().unwrap_or_default().trim_end().to_ascii_lowercase()
    }

    /// The value of a parameter of the media type, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        parts(self.text, ';').skip(1).find_map(|part| {
            let (found, value) = part.split_once('=')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// How exactly it says what is wanted, as PostgREST counts it: more parameters are more exact, and `*` is less.
    pub(super) fn exactness(&self) -> i64 {
        let count = |wanted| self.text.bytes().filter(|byte| *byte == wanted).count() as i64;
        count(b';') - count(b'*')
    }
}

/// The parts of a text between separators that are not in quotes.
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |letter| {
        is_quoted ^= letter == '"';
        letter == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ranges(accept: &'static str) -> Vec<(String, f32)> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        accepted(&headers).iter().map(|range| (range.text.to_owned(), range.quality)).collect()
    }

    #[test]
    fn ranges_are_parted_outside_of_quotes_and_lose_their_quality() {
        for (accept, found) in [
            ("text/csv", vec![("text/csv", 1.0)]),
            ("text/csv;q=0.5, */*; q=0.1", vec![("text/csv", 0.5), ("*/*", 0.1)]),
            ("text/csv;q=0.5;level=1", vec![("text/csv", 0.5)]),
            ("text/csv; version=1 ;Q=0", vec![("text/csv; version=1", 0.0)]),
            ("a/b;for=\"text/csv;q=0.3, x/y\";q=0.7,c/d", vec![("a/b;for=\"text/csv;q=0.3, x/y\"", 0.7), ("c/d", 1.0)]),
            ("a/b;q=x", vec![("a/b;q=x", 1.0)]),
            ("", vec![("", 1.0)]),
        ] {
            let found: Vec<_> =
                found.into_iter().map(|(text, quality): (&str, f32)| (text.to_owned(), quality)).collect();
            assert_eq!(ranges(accept), found, "{accept}");
        }
    }

    #[test]
    fn parameters_are_read_without_quotes() {
        let range = MediaRange::parse("A/B ;For = \"text/csv; x=1\"; options=analyze|wal;flag");
        assert_eq!(range.media_type(), "a/b");
        assert_eq!(range.parameter("for"), Some("text/csv; x=1"));
        assert_eq!(range.parameter("OPTIONS"), Some("analyze|wal"));
        assert_eq!((range.parameter("x"), range.parameter("flag")), (None, None));
        assert_eq!(range.exactness(), 4);
        assert_eq!(MediaRange::parse("*/*").exactness(), -2);
    }
}
