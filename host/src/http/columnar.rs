//! The media types of rows as columns.

use axum::http::HeaderMap;

use super::media_range::accepted;
use crate::read_model::columnar::Format;

const FORMATS: [Format; 2] = [Format::Parquet, Format::ArrowStream];

/// As IANA has registered it.
pub(super) fn media_type(format: Format) -> &'static str {
    match format {
        Format::Parquet => "application/vnd.apache.parquet",
        Format::ArrowStream => "application/vnd.apache.arrow.stream",
    }
}

/// The format of a media type in lower case.
pub(super) fn format_of(wanted: &str) -> Option<Format> {
    FORMATS.into_iter().find(|format| media_type(*format) == wanted)
}

/// Whether a request may be answered with columns: it names one of the media types. Which one is answered, it says with all that it accepts.
pub(super) fn may_be_wanted(headers: &HeaderMap) -> bool {
    accepted(headers).iter().any(|range| range.quality > 0.0 && format_of(&range.media_type()).is_some())
}
