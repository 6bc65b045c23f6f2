//! The header `Accept`: the shape of the answer.

use axum::http::HeaderMap;

use super::error::PostgrestError;
use crate::{
    http::media_range::{MediaRange, accepted},
    read_model::query::Shape,
};

/// The shape that the client prefers, of those that this host has. A request without the header accepts `*/*`.
///
/// # Errors
/// The client accepts none of them.
pub(super) fn negotiate(headers: &HeaderMap) -> Result<Shape, PostgrestError> {
    let mut ranges = accepted(headers);
    if ranges.is_empty() {
        return Ok(Shape::default());
    }
    // The sort is stable: of equal qualities the first comes first.
    ranges.sort_by(|one, other| other.quality.total_cmp(&one.quality));
    ranges.iter().find_map(shape).ok_or_else(|| {
        let names: Vec<_> = ranges.iter().map(|range| range.text).collect();
        PostgrestError::not_acceptable(&names.join(", "))
    })
}

/// The value of the header `Content-Type`.
pub(super) fn content_type(shape: Shape) -> &'static str {
    match shape {
        Shape::List => "application/json; charset=utf-8",
        Shape::Object => "application/vnd.pgrst.object+json; charset=utf-8",
    }
}

fn shape(range: &MediaRange<'_>) -> Option<Shape> {
    // `nulls=stripped` of PostgREST is not implemented.
    if range.quality <= 0.0 || range.parameters().contains("nulls") {
        return None;
    }
    match range.media_type().as_str() {
        "*/*" | "application/*" | "application/json" => Some(Shape::List),
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Some(Shape::List),
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Some(Shape::Object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode, header};

    use super::*;

    fn accepting(accept: &[&'static str]) -> Result<Shape, PostgrestError> {
        let values = accept.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        negotiate(&values.collect())
    }

    #[test]
    fn the_preferred_shape_is_chosen() {
        for (accept, shape) in [
            (&[][..], Shape::List),
            (&["*/*"], Shape::List),
            (&["application/json; charset=utf-8"], Shape::List),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Shape::List),
            (&["text/unknowntype, */*"], Shape::List),
            (&["application/vnd.pgrst.object+json"], Shape::Object),
            (&["ApplicatIon/vnd.PgRsT.object"], Shape::Object),
            (&["application/json;q=0.5, application/vnd.pgrst.object+json"], Shape::Object),
            (&["application/json, application/vnd.pgrst.object+json"], Shape::List),
            (&["application/vnd.pgrst.object+json;q=0, application/json;q=0.1"], Shape::List),
            (&["application/json;q=0.5", "application/vnd.pgrst.object+json"], Shape::Object),
        ] {
            assert_eq!(accepting(accept), Ok(shape), "{accept:?}");
        }
    }

    #[test]
    fn other_media_types_are_refused() {
        for (accept, named) in [
            ("text/unknowntype", "text/unknowntype"),
            ("text/csv;q=0.5, text/xml", "text/xml, text/csv"),
            ("application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped"),
            ("*/*;q=0", "*/*"),
            ("", ""),
        ] {
            assert_eq!(
                accepting(&[accept]),
                Err(PostgrestError {
                    code: "PGRST107".into(),
                    message: format!("None of these media types are available: {named}"),
                    details: None,
                    hint: None,
                    status: StatusCode::NOT_ACCEPTABLE,
                })
            );
        }
    }
}
