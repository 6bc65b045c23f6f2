//! The header `Accept`: the form of the answer.

use axum::http::HeaderMap;

use super::{error::PostgrestError, media::Media};
use crate::{
    http::{
        columnar::format_of,
        media_range::{MediaRange, accepted},
    },
    queries::{Explain, PlanFormat},
    read_model::query::Shape,
};

/// The media type that the client prefers, of those that this host has; `plans` says whether it shows plans. A request without the header accepts
/// `*/*`.
///
/// # Errors
/// The client accepts none of them.
pub(super) fn negotiate(headers: &HeaderMap, plans: bool) -> Result<Media, PostgrestError> {
    let mut ranges = accepted(headers);
    if ranges.is_empty() {
        return Ok(Media::default());
    }
    // As PostgREST: of equal qualities the most exact, and of those, since the sort is stable, the first.
    ranges.sort_by(|one, other| {
        other.quality.total_cmp(&one.quality).then_with(|| other.exactness().cmp(&one.exactness()))
    });
    let is_wanted = |range: &&MediaRange<'_>| range.quality > 0.0;
    ranges.iter().filter(is_wanted).find_map(|range| media(range, plans)).ok_or_else(|| {
        let names: Vec<_> = ranges.iter().map(|range| range.text).collect();
        PostgrestError::not_acceptable(&names.join(", "))
    })
}

fn media(range: &MediaRange<'_>, plans: bool) -> Option<Media> {
    if let Some(format) = format_of(&range.media_type()) {
        return Some(Media { columns: Some(format), ..Media::default() });
    }
    let plan = |format| Some(Explain { format, ..options(range) });
    let plan = match range.media_type().as_str() {
        "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => plan(PlanFormat::Text),
        "application/vnd.pgrst.plan+json" => plan(PlanFormat::Json),
        _ => None,
    };
    match plan {
        None => Some(Media { shape: shape(range)?, ..Media::default() }),
        Some(_) if !plans => None,
        Some(_) => {
            // Of a plan, but not of a plan of a plan.
            let of = range.parameter("for").unwrap_or("application/json");
            Some(Media { shape: shape(&MediaRange::parse(of))?, plan, columns: None })
        }
    }
}

fn shape(range: &MediaRange<'_>) -> Option<Shape> {
    let is_stripped = range.parameter("nulls") == Some("stripped");
    Some(match (range.media_type().as_str(), is_stripped) {
        ("*/*" | "application/*" | "application/json", _) => Shape::List,
        ("application/vnd.pgrst.array+json" | "application/vnd.pgrst.array", false) => Shape::List,
        ("application/vnd.pgrst.array+json" | "application/vnd.pgrst.array", true) => Shape::StrippedList,
        ("application/vnd.pgrst.object+json" | "application/vnd.pgrst.object", false) => Shape::Object,
        ("application/vnd.pgrst.object+json" | "application/vnd.pgrst.object", true) => Shape::StrippedObject,
        ("text/csv", _) => Shape::Csv,
        _ => return None,
    })
}

/// What a plan is to say; its format is not read.
fn options(range: &MediaRange<'_>) -> Explain {
    let options = range.parameter("options").unwrap_or_default();
    let is_on = |name| options.split('|').any(|option| option == name);
    Explain {
        format: PlanFormat::default(),
        analyze: is_on("analyze"),
        verbose: is_on("verbose"),
        settings: is_on("settings"),
        buffers: is_on("buffers"),
        wal: is_on("wal"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode, header};

    use super::*;
    use crate::read_model::columnar::Format;

    fn accepting(accept: &[&'static str], plans: bool) -> Result<Media, PostgrestError> {
        let values = accept.iter().map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        negotiate(&values.collect(), plans)
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
            (&["application/vnd.pgrst.object+json;nulls=stripped"], Shape::StrippedObject),
            (&["application/vnd.pgrst.object; Nulls=\"stripped\""], Shape::StrippedObject),
            (&["application/vnd.pgrst.object+json;nulls=kept"], Shape::Object),
            (&["application/vnd.pgrst.array+json"], Shape::List),
            (&["application/vnd.pgrst.array+json;nulls=stripped"], Shape::StrippedList),
            (&["application/vnd.pgrst.array;nulls=stripped;q=0.1"], Shape::StrippedList),
            // Only its own media types have the parameter.
            (&["application/json;nulls=stripped"], Shape::List),
            (&["text/csv"], Shape::Csv),
            (&["text/csv; version=1"], Shape::Csv),
            (&["text/unknowntype, text/csv"], Shape::Csv),
            (&["text/csv, application/json"], Shape::Csv),
            (&["application/json, text/csv"], Shape::List),
            // What says more counts before what stands first.
            (&["*/*, text/csv"], Shape::Csv),
            (&["application/json, text/csv;header=present"], Shape::Csv),
            (&["text/csv;q=0.9, */*"], Shape::List),
        ] {
            assert_eq!(accepting(accept, false), Ok(Media { shape, ..Media::default() }), "{accept:?}");
        }
    }

    #[test]
    fn columns_are_answered_to_who_names_them_and_prefers_them() {
        let columns = |format| Ok(Media { columns: Some(format), ..Media::default() });
        for (accept, media) in [
            ("application/vnd.apache.parquet", columns(Format::Parquet)),
            ("Application/vnd.Apache.Parquet; version=2", columns(Format::Parquet)),
            ("application/json;q=0.5, application/vnd.apache.arrow.stream", columns(Format::ArrowStream)),
            ("application/vnd.apache.arrow.stream, application/vnd.apache.parquet", columns(Format::ArrowStream)),
            ("application/vnd.apache.parquet, */*;q=0.1", columns(Format::Parquet)),
            ("application/vnd.apache.parquet;q=0.5, text/csv", Ok(Media { shape: Shape::Csv, ..Media::default() })),
            ("application/vnd.apache.parquet;q=0, */*", Ok(Media::default())),
        ] {
            assert_eq!(accepting(&[accept], true), media, "{accept}");
        }
        for accept in
            ["application/vnd.apache.arrow.file", "application/vnd.pgrst.plan;for=\"application/vnd.apache.parquet\""]
        {
            assert_eq!(accepting(&[accept], true).unwrap_err().code, "PGRST107", "{accept}");
        }
    }

    #[test]
    fn other_media_types_are_refused() {
        for (accept, named) in [
            ("text/unknowntype", "text/unknowntype"),
            ("text/plain;q=0.5, text/xml", "text/xml, text/plain"),
            ("application/geo+json", "application/geo+json"),
            ("application/octet-stream", "application/octet-stream"),
            ("application/vnd.pgrst.plan+json; options=verbose", "application/vnd.pgrst.plan+json; options=verbose"),
            ("*/*;q=0", "*/*"),
            ("", ""),
        ] {
            assert_eq!(
                accepting(&[accept], false),
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

    #[test]
    fn plans_are_of_a_shape_and_have_options() {
        let text = Explain::default();
        let json = Explain { format: PlanFormat::Json, ..text };
        for (accept, shape, plan) in [
            ("application/vnd.pgrst.plan", Shape::List, text),
            ("application/vnd.pgrst.plan+text; for=\"text/csv\"", Shape::Csv, text),
            ("application/vnd.pgrst.plan+json; options=buffers", Shape::List, Explain { buffers: true, ..json }),
            (
                "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object;nulls=stripped\"; options=analyze|verbose|wal|x",
                Shape::StrippedObject,
                Explain { analyze: true, verbose: true, wal: true, ..json },
            ),
        ] {
            assert_eq!(accepting(&[accept], true), Ok(Media { shape, plan: Some(plan), columns: None }), "{accept}");
        }
        // Another media type is there, or none.
        let other = accepting(&["application/vnd.pgrst.plan;for=\"text/xml\", text/csv;q=0.5"], true);
        assert_eq!(other, Ok(Media { shape: Shape::Csv, ..Media::default() }));
        for accept in [
            "application/vnd.pgrst.plan;for=\"text/xml\"",
            "application/vnd.pgrst.plan;for=\"application/vnd.pgrst.plan\"",
        ] {
            assert_eq!(accepting(&[accept], true).unwrap_err().code, "PGRST107", "{accept}");
        }
    }
}
